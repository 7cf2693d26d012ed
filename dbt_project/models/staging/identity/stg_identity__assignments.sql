{{ config(materialized='view', tags=['identity'], meta={'dagster': {'group': 'identity', 'owners': ['team:data-engineering']}}) }}

select
    system,
    record_id,
    person_key::uuid as patient_key,
    since as since_run
from {{ source('identity', 'assignment') }}
