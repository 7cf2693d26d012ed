{{ config(
    materialized='incremental',
    incremental_strategy='replace_months',
    event_time='period_start',
    on_schema_change='append_new_columns',
    tags=['monthly', 'clinical'],
    meta={'dagster': {'group': 'clinical', 'owners': ['team:data-engineering']}},
    indexes=[
        {'columns': ['period_start', 'org_unit_uid', 'age_band_key', 'sex', 'icd10_category'], 'unique': true},
        {'columns': ['level', 'period_start']}
    ]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- One new case has one diagnosis of a category, however often it is written. Sensitive categories are left out.
with diagnoses as (
    select * from {{ ref('fct_diagnosis') }} where {{ months_of_run('period_start') }}
),

sensitive as (
    select from_category, to_category from {{ ref('icd_range') }} where classification = 'ICD-10' and is_sensitive
),

cases as (
    select distinct
        diagnoses.period_start,
        coalesce(diagnoses.facility_uid, diagnoses.source_facility_code, 'unknown') as unit,
        diagnoses.visit_key,
        coalesce(diagnoses.age_band_key, 'unknown') as age_band_key,
        coalesce(diagnoses.sex, 'unknown') as sex,
        coalesce(left(diagnoses.icd10_code, 3), 'none') as icd10_category
    from diagnoses
    where diagnoses.visit_type in ('outpatient', 'health_post')
        and diagnoses.is_new_case
        and not exists (
            select from sensitive
            where left(diagnoses.icd10_code, 3) collate "C" between sensitive.from_category and sensitive.to_category
        )
)

select
    cases.period_start,
    coalesce(closure.ancestor_uid, cases.unit) as org_unit_uid,
    coalesce(closure.ancestor_role, 'unmapped') as level,
    cases.age_band_key,
    cases.sex,
    cases.icd10_category,
    count(*) as new_cases
from cases
left join {{ ref('int_org_unit_closure') }} as closure
    on cases.unit = closure.descendant_uid and closure.is_reporting_level
group by 1, 2, 3, 4, 5, 6
