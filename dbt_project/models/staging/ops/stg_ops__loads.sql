{{ config(materialized='view', tags=['monthly']) }}

select
    load_id,
    {{ clean_key_text('system') }} as system,
    -- The ledger names a table within its system.
    system || '_' || regexp_replace(table_name, '^' || system || '_', '') as table_name,
    {{ clean_date('partition_key') }} as period_start,
    landed,
    quarantined,
    source_watermark,
    finished_at
from {{ source('ops', 'load') }}
where status = 'committed'
