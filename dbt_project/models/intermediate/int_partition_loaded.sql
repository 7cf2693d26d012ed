{{ config(
    materialized='view',
    tags=['reference'],
    meta={'dagster': {'group': 'operations', 'owners': ['team:data-engineering']}}
) }}

-- That a week or month is loaded, and when it was, and nothing else: everybody reads it, so it has no numbers of records.
select
    relation,
    partition_start,
    finished_at as loaded_at
from {{ ref('stg_ops__partitions') }}
