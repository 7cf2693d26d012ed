{{ config(
    materialized='view',
    tags=['monthly', 'tracker'],
    event_time='day',
    meta={'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

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
union all
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
