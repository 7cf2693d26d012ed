{{ config(tags=['reference']) }}

select
    {{ clean_key_text('indicator') }} as indicator_uid,
    {{ clean_key_text('side') }} as side,
    expression,
    sql,
    coalesce(operands, '{}') as operands,
    refused_reason
from {{ source('ops', 'indicator_sql') }}
