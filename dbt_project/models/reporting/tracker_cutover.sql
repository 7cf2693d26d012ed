{{ config(tags=['reference']) }}

select
    readiness.programme,
    readiness.title,
    readiness.system,
    readiness.pipeline as reads_from,
    readiness.is_ready,
    readiness.clean_in_a_row,
    readiness.needed as clean_partitions_needed,
    readiness.latest_partition,
    readiness.match_rate,
    readiness.match_rates as match_rate_by_partition,
    readiness.open_differences,
    cardinality(readiness.open_partitions)::bigint as open_partitions,
    array_to_string(readiness.reasons, '; ') as why_not_ready,
    case when readiness.pipeline = 'unified' then cutovers.signed_at end as signed_at,
    case when readiness.pipeline = 'unified' then cutovers.signed_by end as signed_by,
    case when readiness.pipeline = 'unified' then cutovers.is_forced end as was_forced,
    case when readiness.pipeline = 'unified' then cutovers.reason end as sign_off_reason,
    case when readiness.pipeline = 'legacy' then cutovers.signed_at end as undone_at,
    case when readiness.pipeline = 'legacy' then cutovers.signed_by end as undone_by
from {{ ref('stg_ops__cutover_readiness') }} as readiness
left join {{ ref('stg_ops__cutovers') }} as cutovers
    on readiness.programme = cutovers.programme and cutovers.is_latest
