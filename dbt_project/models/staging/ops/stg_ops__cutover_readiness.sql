{{ config(materialized='view', tags=['reference']) }}

select
    {{ clean_key_text('readiness.programme') }} as programme,
    {{ clean_key_text('programmes.system') }} as system,
    {{ clean_text('programmes.title') }} as title,
    readiness.pipeline,
    readiness.ready as is_ready,
    readiness.clean_in_a_row,
    readiness.needed,
    readiness.latest_partition,
    readiness.match_rate,
    readiness.match_rates,
    readiness.open_differences,
    readiness.open_partitions,
    readiness.reasons
from {{ source('ops', 'cutover_readiness') }} as readiness
inner join {{ source('ops', 'programme') }} as programmes on readiness.programme = programmes.programme
