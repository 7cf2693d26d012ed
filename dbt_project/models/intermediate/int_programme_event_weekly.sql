{{ config(
    materialized='incremental',
    tags=['weekly', 'tracker'],
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='event_key',
    indexes=[{'columns': ['event_key'], 'unique': true}, {'columns': ['week_start']}],
    meta={'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

with records as (
    select
        'tb'::text as programme,
        event_uid,
        enrollment_uid,
        tracked_entity_uid,
        program_stage_uid,
        org_unit_uid,
        status,
        partition_start,
        event_day as day,
        load_id,
        source_updated_at
    from {{ ref('stg_tb__events') }}
    where {{ weeks_of_run('partition_start') }}
    union all
    select
        'crvs'::text as programme,
        event_uid,
        enrollment_uid,
        tracked_entity_uid,
        program_stage_uid,
        org_unit_uid,
        status,
        partition_start,
        event_day as day,
        load_id,
        source_updated_at
    from {{ ref('stg_crvs__events') }}
    where {{ weeks_of_run('partition_start') }}
    union all
    select
        'birth_registration'::text as programme,
        event_uid,
        enrollment_uid,
        tracked_entity_uid,
        program_stage_uid,
        org_unit_uid,
        status,
        partition_start,
        event_day as day,
        load_id,
        source_updated_at
    from {{ ref('stg_birth_registration__events') }}
    where {{ weeks_of_run('partition_start') }}
    union all
    select
        'hiv'::text as programme,
        event_uid,
        enrollment_uid,
        tracked_entity_uid,
        program_stage_uid,
        org_unit_uid,
        status,
        partition_start,
        event_day as day,
        load_id,
        source_updated_at
    from {{ ref('stg_hiv__events') }}
    where {{ weeks_of_run('partition_start') }}
    union all
    select
        'immunization'::text as programme,
        event_uid,
        enrollment_uid,
        tracked_entity_uid,
        program_stage_uid,
        org_unit_uid,
        status,
        partition_start,
        event_day as day,
        load_id,
        source_updated_at
    from {{ ref('stg_immunization__events') }}
    where {{ weeks_of_run('partition_start') }}
)

{{ programme_events('records', 'week_start') }}
