{{ config(tags=['monthly'], meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}}) }}

-- WHO data quality review 1: completeness and timeliness of reports of a year, and whether they are as they were.
with years as (
    select
        rates.data_set_uid,
        rates.level,
        rates.org_unit_uid,
        extract(year from rates.period_start)::integer as year,
        count(distinct rates.period_start) as months,
        sum(rates.expected) as expected,
        sum(rates.received) as received,
        sum(rates.received_on_time) as received_on_time,
        100.0::double precision * sum(rates.received) / nullif(sum(rates.expected), 0) as completeness,
        100.0::double precision * sum(rates.received_on_time) / nullif(sum(rates.expected), 0) as timeliness
    from {{ ref('int_reporting_rollup') }} as rates
    group by rates.data_set_uid, rates.level, rates.org_unit_uid, extract(year from rates.period_start)
),

-- Ranges of years, not of rows: a year without reports is no reason to look back a year more.
followed as (
    select
        *,
        avg(completeness) over (
            partition by data_set_uid, level, org_unit_uid
            order by year
            range between 3 preceding and 1 preceding
        ) as completeness_before
    from years
)

select
    data_sets.code as data_set_code,
    data_sets.name as data_set_name,
    followed.level,
    followed.org_unit_uid,
    coalesce(facilities.name, geographies.name) as org_unit_name,
    facilities.fosa_code,
    coalesce(facilities.district_name, geographies.district_name) as district,
    coalesce(facilities.province_name, geographies.province_name) as province,
    followed.year,
    followed.months::integer as months,
    followed.expected::bigint as expected,
    followed.received::bigint as received,
    followed.received_on_time::bigint as received_on_time,
    followed.completeness,
    followed.completeness < {{ quality_setting('quality_missing') }} as is_incomplete,
    followed.timeliness,
    followed.timeliness < {{ quality_setting('quality_missing') }} as is_late,
    followed.completeness_before,
    100 * followed.completeness / nullif(followed.completeness_before, 0) as consistency,
    abs(followed.completeness / nullif(followed.completeness_before, 0) - 1)
    > {{ quality_setting('quality_consistency') }} as is_inconsistent
from followed
inner join {{ ref('dim_data_set') }} as data_sets on followed.data_set_uid = data_sets.data_set_uid
left join {{ ref('dim_facility') }} as facilities
    on followed.level = 'facility' and followed.org_unit_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('dim_geography') }} as geographies
    on followed.level <> 'facility' and followed.org_unit_uid = geographies.geography_uid
