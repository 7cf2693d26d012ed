{{ config(
    materialized='incremental',
    incremental_strategy='replace_months',
    event_time='period_start',
    on_schema_change='append_new_columns',
    tags=['monthly', 'clinical'],
    meta={'dagster': {'group': 'clinical', 'owners': ['team:data-engineering']}},
    indexes=[
        {'columns': ['period_start', 'level', 'org_unit_uid', 'system', 'insurance_scheme'], 'unique': true},
        {'columns': ['level', 'period_start']}
    ]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- Of a visit of CEMR no outcome is told and yet whether the patient was referred: so that is what counts as told. Of outcomes eFICHE alone
-- has one for who was admitted, and one for who left.
with visits as (
    select * from {{ ref('fct_visit') }} where {{ months_of_run('period_start') }}
),

counted as (
    select
        visits.period_start,
        coalesce(visits.facility_uid, visits.source_facility_code, 'unknown') as unit,
        visits.system,
        coalesce(insurances.scheme, 'not told or not known') as insurance_scheme,
        count(*) as visits,
        count(visits.is_new_case) as new_case_told,
        count(*) filter (where visits.is_new_case) as new_cases,
        count(visits.was_referred) as outcome_told,
        count(*) filter (where visits.was_referred) as referred,
        case when visits.system = 'efiche' then count(*) filter (where visits.outcome = 'admitted') end as admitted,
        case when visits.system = 'efiche' then count(*) filter (where visits.outcome = 'left') end as left_untreated
    from visits
    left join {{ ref('dim_insurance') }} as insurances on visits.insurance_key = insurances.insurance_key
    group by 1, 2, 3, 4
)

select
    counted.period_start,
    coalesce(closure.ancestor_uid, counted.unit) as org_unit_uid,
    coalesce(closure.ancestor_role, 'unmapped') as level,
    counted.system,
    counted.insurance_scheme,
    sum(counted.visits)::bigint as visits,
    sum(counted.new_case_told)::bigint as new_case_told,
    sum(counted.new_cases)::bigint as new_cases,
    sum(counted.outcome_told)::bigint as outcome_told,
    sum(counted.referred)::bigint as referred,
    sum(counted.admitted)::bigint as admitted,
    sum(counted.left_untreated)::bigint as left_untreated
from counted
left join {{ ref('int_org_unit_closure') }} as closure
    on counted.unit = closure.descendant_uid and closure.is_reporting_level
group by 1, 2, 3, 4, 5
