{{ config(tags=['weekly']) }}

select
    facts.level,
    facts.org_unit_uid,
    coalesce(facilities.name, geographies.name) as org_unit_name,
    facilities.fosa_code,
    coalesce(facilities.district_name, geographies.district_name) as district,
    coalesce(facilities.province_name, geographies.province_name) as province,
    periods.quarter_id as quarter_started,
    periods.fiscal_year as fiscal_year_started,
    facts.months_on,
    facts.started,
    facts.transferred_out,
    facts.died,
    facts.started - facts.transferred_out as denominator,
    facts.retained_30,
    facts.retained_60,
    (100.0 * facts.retained_30 / nullif(facts.started - facts.transferred_out, 0))::double precision as retention_30,
    (100.0 * facts.retained_60 / nullif(facts.started - facts.transferred_out, 0))::double precision as retention_60,
    not facts.is_shown as is_suppressed
from {{ ref('fct_hiv_cohort') }} as facts
inner join {{ ref('dim_period') }} as periods
    on (facts.looked_at_quarter - make_interval(months => facts.months_on))::date = periods.period_start
left join {{ ref('dim_facility') }} as facilities
    on facts.level = 'facility' and facts.org_unit_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('dim_geography') }} as geographies
    on facts.level not in ('facility', 'unmapped') and facts.org_unit_uid = geographies.geography_uid
