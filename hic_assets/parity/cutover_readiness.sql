-- Whether a programme may be signed off, and exactly why not. A partition counts when it is over (Africa/Kigali), and is
-- clean when all three tables are loaded on both sides, compared as they are loaded now, within the tolerance, and neither
-- side is outdated. So many of the latest must be clean without a gap between them, no older one may be known to differ,
-- and none may be held by the legacy tables alone: its records would leave the marts at once.
create or replace view ops.cutover_readiness as
with partitions as (
    select s.programme, s.partition_start, max(s.partition_end) as partition_end,
           bool_and(s.state = 'clean') as clean,
           bool_or(s.beyond_tolerance) as open,
           bool_or(s.state = 'unified not loaded') as legacy_only,
           coalesce(sum(s.differences) filter (where s.beyond_tolerance), 0)::bigint as differences,
           sum(s.matched) as matched,
           sum(s.matched + s.differences - s.duplicated) as compared,
           string_agg(
               s.kind || ' ' || s.state || case when s.state = 'differs' then ' (' || s.differences || ')' else '' end,
               ', ' order by s.place
           ) filter (where s.state <> 'clean') as trouble
    from ops.parity_state s
    where s.partition_end <= (now() at time zone 'Africa/Kigali')::date
    group by s.programme, s.partition_start
),
ordered as (
    select p.*, row_number() over newest_first as back,
           lag(p.partition_start) over newest_first <> p.partition_end as gap
    from partitions p
    window newest_first as (partition by p.programme order by p.partition_start desc)
),
in_a_row as (
    select o.programme,
           max(o.partition_start) as latest_partition,
           coalesce(min(o.back) filter (where not o.clean or o.gap) - 1, max(o.back)) as clean_in_a_row
    from ordered o
    group by o.programme
),
judged as (
    select p.programme, p.legacy, p.clean_partitions as needed, r.latest_partition,
           coalesce(r.clean_in_a_row, 0) as clean_in_a_row,
           (select coalesce(sum(o.differences), 0)::bigint from ordered o where o.programme = p.programme and o.open)
               as open_differences,
           (select array_agg(o.partition_start order by o.partition_start) from ordered o
            where o.programme = p.programme and o.open) as open_partitions,
           (select array_agg(o.partition_start order by o.partition_start) from ordered o
            where o.programme = p.programme and o.legacy_only) as legacy_only,
           b.partition_start as broken_at, b.partition_end as gap_from, coalesce(b.gap, false) as gap, b.trouble,
           (select sum(o.matched) / nullif(sum(o.compared), 0) from ordered o
            where o.programme = p.programme and o.back <= p.clean_partitions)::double precision as match_rate,
           (select jsonb_object_agg(o.partition_start, round(o.matched / nullif(o.compared, 0), 6)) from ordered o
            where o.programme = p.programme and o.back <= p.clean_partitions) as match_rates
    from ops.programme p
    left join in_a_row r on r.programme = p.programme
    left join ordered b on b.programme = p.programme and b.back = r.clean_in_a_row + 1
)
select
    j.programme,
    s.pipeline,
    j.legacy and j.clean_in_a_row >= j.needed and j.open_partitions is null and j.legacy_only is null
        as ready,
    j.clean_in_a_row,
    j.needed,
    j.latest_partition,
    j.match_rate,
    coalesce(j.match_rates, '{}') as match_rates,
    j.open_differences,
    coalesce(j.open_partitions, '{}') as open_partitions,
    array_remove(array[
        case when not j.legacy then 'there is no legacy pipeline any more: nothing to cut over from' end,
        case when j.legacy and j.latest_partition is null then 'nothing is loaded' end,
        case
            when not j.legacy or j.latest_partition is null or j.clean_in_a_row >= j.needed then null
            when j.broken_at is null
                then format('%s of %s partitions in a row are clean, and no earlier one is loaded', j.clean_in_a_row, j.needed)
            when j.gap
                then format('%s of %s partitions in a row are clean: before them is a gap, from %s',
                            j.clean_in_a_row, j.needed, j.gap_from)
            else format('%s of %s partitions in a row are clean: %s is not (%s)',
                        j.clean_in_a_row, j.needed, j.broken_at, j.trouble)
        end,
        case
            when j.legacy and j.open_partitions is not null
                then format('%s open differences in %s', j.open_differences, array_to_string(j.open_partitions[:5], ', ')
                            || case when cardinality(j.open_partitions) > 5
                                    then format(' and %s more', cardinality(j.open_partitions) - 5) else '' end)
        end,
        case
            when j.legacy and j.legacy_only is not null
                then format('%s partitions are in the legacy tables alone, %s to %s: load the unified ones first',
                            cardinality(j.legacy_only), j.legacy_only[1], j.legacy_only[cardinality(j.legacy_only)])
        end
    ], null) as reasons,
    coalesce(j.legacy_only, '{}') as legacy_only_partitions
from judged j
inner join ops.programme_source s on s.programme = j.programme;
comment on view ops.cutover_readiness is 'One row a programme: may the staging models read the unified tables, and if not, why not.';
