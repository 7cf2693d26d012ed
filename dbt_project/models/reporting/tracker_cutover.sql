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
    cutovers.signed_at,
    cutovers.signed_by,
    cutovers.is_forced as was_forced,
    cutovers.reason as sign_off_reason
from {{ ref('stg_ops__cutover_readiness') }} as readiness
left join {{ ref('stg_ops__cutovers') }} as cutovers
    on readiness.programme = cutovers.programme and cutovers.is_latest
