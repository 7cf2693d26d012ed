{{ config(
    materialized='incremental',
    tags=['monthly', 'tracker'],
    incremental_strategy='microbatch',
    event_time='partition_start',
    batch_size='month',
    begin='2020-01-01',
    lookback=0,
    unique_key='event_key',
    indexes=[{'columns': ['event_key'], 'unique': true}, {'columns': ['partition_start']}],
    meta={'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

with records as (
    select
        'maternal_death_audit'::text as programme,
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
    from {{ ref('stg_maternal_death_audit__events') }}
    union all
    select
        'perinatal_death_audit'::text as programme,
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
    from {{ ref('stg_perinatal_death_audit__events') }}
    union all
    select
        'child_death_audit'::text as programme,
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
    from {{ ref('stg_child_death_audit__events') }}
    union all
    select
        'cancer'::text as programme,
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
    from {{ ref('stg_cancer__events') }}
)

{{ programme_events('records', 'partition_start') }}
