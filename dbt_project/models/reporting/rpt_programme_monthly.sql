{{ config(
    tags=['tracker'],
    meta={'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}}
) }}

select
    facts.programme,
    programmes.title as programme_title,
    coalesce(stages.record, 'event') as record,
    facts.stage_key,
    coalesce(stages.stage_name, 'Stage ' || facts.stage_key) as stage_name,
    facts.level,
    facts.org_unit_uid,
    coalesce(facilities.name, geographies.name) as org_unit_name,
    facilities.fosa_code,
    coalesce(facilities.district_name, geographies.district_name) as district,
    coalesce(facilities.province_name, geographies.province_name) as province,
    facts.period_start as month,
    periods.fiscal_year,
    facts.records,
    facts.took_place,
    facts.people,
    facts.active,
    facts.completed,
    facts.scheduled,
    facts.overdue,
    facts.skipped,
    facts.cancelled,
    facts.is_complete,
    facts.data_as_of
from {{ ref('fct_programme_month') }} as facts
inner join {{ ref('dim_period') }} as periods on facts.period_start = periods.period_start
left join {{ ref('dim_programme') }} as programmes on facts.programme = programmes.programme
left join {{ ref('dim_programme_stage') }} as stages on facts.stage_key = stages.stage_key
left join {{ ref('dim_facility') }} as facilities
    on facts.level = 'facility' and facts.org_unit_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('dim_geography') }} as geographies
    on facts.level not in ('facility', 'unmapped') and facts.org_unit_uid = geographies.geography_uid
