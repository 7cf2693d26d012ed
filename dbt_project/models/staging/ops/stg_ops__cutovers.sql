{{ config(materialized='view', tags=['reference']) }}

select
    cutover_id,
    {{ clean_key_text('programme') }} as programme,
    at as signed_at,
    {{ clean_text('by_whom') }} as signed_by,
    action as pipeline,
    forced as is_forced,
    {{ clean_text('reason') }} as reason,
    row_number() over (partition by programme order by cutover_id desc) = 1 as is_latest
from {{ source('ops', 'cutover') }}
