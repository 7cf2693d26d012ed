{{ config(materialized='view', tags=['monthly']) }}

select
    programme,
    pipeline
from {{ source('ops', 'programme_source') }}
