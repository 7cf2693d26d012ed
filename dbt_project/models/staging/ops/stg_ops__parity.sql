{{ config(materialized='view', tags=['reference']) }}

select
    {{ clean_key_text('programme') }} as programme,
    {{ clean_key_text('kind') }} as table_name,
    partition_start,
    partition_end,
    state,
    legacy_rows,
    unified_rows,
    matched,
    differences,
    match_rate,
    missing_in_unified,
    missing_in_legacy,
    value_differs,
    deleted_in_unified,
    deleted_in_legacy,
    other_partition,
    duplicated,
    late,
    by_field,
    rules,
    patterns,
    compared_at
from {{ source('ops', 'parity_state') }}
