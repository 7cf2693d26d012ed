-- Counts are summed first and divided last.
select
    data_sets.code as data_set_code,
    data_sets.name as data_set_name,
    rates.level,
    rates.org_unit_uid,
    coalesce(facilities.name, geographies.name) as org_unit_name,
    facilities.fosa_code,
    coalesce(facilities.district_name, geographies.district_name) as district,
    coalesce(facilities.province_name, geographies.province_name) as province,
    rates.period_start as month,
    periods.fiscal_year,
    rates.expected,
    rates.received,
    rates.received_on_time,
    rates.received_unexpected,
    round(100.0 * rates.received / nullif(rates.expected, 0), 1)::double precision as reporting_rate,
    round(100.0 * rates.received_on_time / nullif(rates.expected, 0), 1)::double precision as timeliness,
    loaded.data_as_of
from {{ ref('int_reporting_rollup') }} as rates
inner join {{ ref('dim_data_set') }} as data_sets on rates.data_set_uid = data_sets.data_set_uid
inner join {{ ref('dim_period') }} as periods on rates.period_start = periods.period_start
left join (
    select partition_start as period_start, max(loaded_at) as data_as_of
    from {{ ref('int_partition_loaded') }}
    where relation in ('hmis_data_values', 'hmis_complete_registrations')
    group by partition_start
) as loaded on rates.period_start = loaded.period_start
left join {{ ref('dim_facility') }} as facilities
    on rates.level = 'facility' and rates.org_unit_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('dim_geography') }} as geographies
    on rates.level <> 'facility' and rates.org_unit_uid = geographies.geography_uid
