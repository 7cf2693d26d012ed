{{ config(
    materialized='view',
    tags=['monthly', 'tracker'],
    event_time='day',
    meta={'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

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
union all
select
    'maternal_death_audit'::text as programme,
    enrollment_uid,
    tracked_entity_uid,
    org_unit_uid,
    status,
    partition_start,
    enrolled_date as day,
    load_id,
    source_updated_at
from {{ ref('stg_maternal_death_audit__enrollments') }}
union all
select
    'perinatal_death_audit'::text as programme,
    enrollment_uid,
    tracked_entity_uid,
    org_unit_uid,
    status,
    partition_start,
    enrolled_date as day,
    load_id,
    source_updated_at
from {{ ref('stg_perinatal_death_audit__enrollments') }}
union all
select
    'child_death_audit'::text as programme,
    enrollment_uid,
    tracked_entity_uid,
    org_unit_uid,
    status,
    partition_start,
    enrolled_date as day,
    load_id,
    source_updated_at
from {{ ref('stg_child_death_audit__enrollments') }}
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
union all
select
    'cancer'::text as programme,
    enrollment_uid,
    tracked_entity_uid,
    org_unit_uid,
    status,
    partition_start,
    enrolled_date as day,
    load_id,
    source_updated_at
from {{ ref('stg_cancer__enrollments') }}
