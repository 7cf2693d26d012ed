{{ config(tags=['reference']) }}

select
    parity.programme,
    parity.table_name,
    parity.partition_start,
    parity.partition_end,
    parity.state,
    parity.legacy_rows,
    parity.unified_rows,
    parity.matched,
    parity.match_rate,
    parity.differences,
    parity.missing_in_unified,
    parity.missing_in_legacy,
    parity.value_differs,
    parity.deleted_in_unified,
    parity.deleted_in_legacy,
    parity.other_partition,
    parity.duplicated,
    parity.late,
    parity.by_field,
    parity.rules,
    parity.patterns,
    parity.compared_at
from {{ ref('stg_ops__parity') }} as parity
