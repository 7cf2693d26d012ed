{{ config(materialized='view', tags=['reference']) }}

-- What is loaded now: a partition that was loaded again is here once, with its latest load.
select
    relation,
    window_start as partition_start,
    load_id,
    landed,
    source_read_at,
    finished_at
from {{ source('ops', 'load') }}
where is_current and window_start is not null
