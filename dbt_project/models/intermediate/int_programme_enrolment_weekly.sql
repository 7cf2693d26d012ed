{{ config(
    materialized='incremental',
    tags=['weekly', 'tracker'],
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='enrolment_key',
    indexes=[{'columns': ['enrolment_key'], 'unique': true}, {'columns': ['week_start']}],
    meta={'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

with records as (
    select
        'tb'::text as programme,
        enrollment_uid,
        tracked_entity_uid,
        org_unit_uid,
        status,
        partition_start,
        enrolled_date as day,
        load_id,
        source_updated_at
    from {{ ref('stg_tb__enrollments') }}
    where {{ weeks_of_run('partition_start') }}
    union all
    select
        'crvs'::text as programme,
        enrollment_uid,
        tracked_entity_uid,
        org_unit_uid,
        status,
        partition_start,
        enrolled_date as day,
        load_id,
        source_updated_at
    from {{ ref('stg_crvs__enrollments') }}
    where {{ weeks_of_run('partition_start') }}
    union all
    select
        'birth_registration'::text as programme,
        enrollment_uid,
        tracked_entity_uid,
        org_unit_uid,
        status,
        partition_start,
        enrolled_date as day,
        load_id,
        source_updated_at
    from {{ ref('stg_birth_registration__enrollments') }}
    where {{ weeks_of_run('partition_start') }}
    union all
    select
        'hiv'::text as programme,
        enrollment_uid,
        tracked_entity_uid,
        org_unit_uid,
        status,
        partition_start,
        enrolled_date as day,
        load_id,
        source_updated_at
    from {{ ref('stg_hiv__enrollments') }}
    where {{ weeks_of_run('partition_start') }}
    union all
    select
        'immunization'::text as programme,
        enrollment_uid,
        tracked_entity_uid,
        org_unit_uid,
        status,
        partition_start,
        enrolled_date as day,
        load_id,
        source_updated_at
    from {{ ref('stg_immunization__enrollments') }}
    where {{ weeks_of_run('partition_start') }}
)

{{ programme_enrolments('records', 'week_start') }}
