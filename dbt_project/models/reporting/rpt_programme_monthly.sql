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
    case when disclosed.is_shown then facts.records end as records,
    case when disclosed.is_shown then facts.took_place end as took_place,
    case when disclosed.is_shown then facts.people end as people,
    case when disclosed.is_shown then facts.active end as active,
    case when disclosed.is_shown then facts.completed end as completed,
    case when disclosed.is_shown then facts.scheduled end as scheduled,
    case when disclosed.is_shown then facts.overdue end as overdue,
    case when disclosed.is_shown then facts.skipped end as skipped,
    case when disclosed.is_shown then facts.cancelled end as cancelled,
    facts.is_complete,
    facts.data_as_of,
    not disclosed.is_shown as is_suppressed
from {{ ref('fct_programme_month') }} as facts
left join {{ ref('int_programme_disclosure') }} as kept
    on facts.stage_key = kept.suppression_group
    and facts.org_unit_uid = kept.org_unit_uid
    and facts.period_start = kept.period_start
-- A place that the registry does not know has no rule, and is not shown.
cross join lateral (
    select coalesce(kept.is_shown, not ({{ is_sensitive_programme('facts.programme') }})) as is_shown
) as disclosed
inner join {{ ref('dim_period') }} as periods on facts.period_start = periods.period_start
left join {{ ref('dim_programme') }} as programmes on facts.programme = programmes.programme
left join {{ ref('dim_programme_stage') }} as stages on facts.stage_key = stages.stage_key
left join {{ ref('dim_facility') }} as facilities
    on facts.level = 'facility' and facts.org_unit_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('dim_geography') }} as geographies
    on facts.level not in ('facility', 'unmapped') and facts.org_unit_uid = geographies.geography_uid
