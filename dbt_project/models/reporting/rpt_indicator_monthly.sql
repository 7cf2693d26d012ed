select
    indicators.code as indicator_code,
    indicators.name as indicator_name,
    facts.level,
    facts.org_unit_uid,
    coalesce(facilities.name, geographies.name) as org_unit_name,
    facilities.fosa_code,
    coalesce(facilities.district_name, geographies.district_name) as district,
    coalesce(facilities.province_name, geographies.province_name) as province,
    facts.period_start as month,
    periods.fiscal_year,
    facts.numerator,
    facts.denominator,
    indicators.factor,
    facts.value,
    round(100.0 * facts.received_reports / nullif(facts.expected_reports, 0), 1)::double precision
        as reporting_completeness,
    facts.data_as_of,
    facts.annualization_factor
from {{ ref('fct_indicator_value') }} as facts
inner join {{ ref('dim_indicator') }} as indicators on facts.indicator_uid = indicators.indicator_uid
inner join {{ ref('dim_period') }} as periods on facts.period_start = periods.period_start
left join {{ ref('dim_facility') }} as facilities
    on facts.level = 'facility' and facts.org_unit_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('dim_geography') }} as geographies
    on facts.level <> 'facility' and facts.org_unit_uid = geographies.geography_uid
