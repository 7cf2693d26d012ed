{{ config(materialized='view', tags=['reference']) }}

select
    programme,
    pipeline
from {{ source('ops', 'programme_source') }}
