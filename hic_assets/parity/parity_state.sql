-- What is known of each table of each programme in each partition that either side has loaded of any of its tables.
create or replace view ops.parity_state as
with tables as (
    select p.programme, p.tolerance, k.kind, k.place, s.side,
           case when s.side = 'unified' then 'u_' else '' end || p.tables || '_' || k.kind as relation
    from ops.programme p
    cross join (values ('tracked_entities', 1), ('enrollments', 2), ('events', 3)) as k (kind, place)
    cross join (values ('legacy'), ('unified')) as s (side)
    where p.legacy
),
loaded as (
    select t.programme, t.kind, l.window_start as partition_start, max(l.window_end) as partition_end,
           max(l.load_id) filter (where t.side = 'legacy') as legacy_load_id,
           max(l.load_id) filter (where t.side = 'unified') as unified_load_id,
           max(l.source_read_at) filter (where t.side = 'legacy') as legacy_read_at,
           max(l.source_read_at) filter (where t.side = 'unified') as unified_read_at
    from tables t
    inner join ops.load l on l.relation = t.relation and l.is_current and l.window_start is not null
    group by t.programme, t.kind, l.window_start
),
-- A run reads both sides within hours, and the sensor has both read again: where more than a day lies between them, a
-- load has failed or was never asked for, and what changed in that time is no longer a matter of moments.
dated as (
    select l.*, case when l.unified_read_at - l.legacy_read_at > interval '24 hours' then 'legacy'
                     when l.legacy_read_at - l.unified_read_at > interval '24 hours' then 'unified' end as outdated
    from loaded l
),
grid as (
    select k.programme, k.tolerance, k.kind, k.place, p.partition_start, p.partition_end
    from (select distinct programme, tolerance, kind, place from tables) k
    inner join (
        select programme, partition_start, max(partition_end) as partition_end
        from loaded group by programme, partition_start
    ) p on p.programme = k.programme
)
select
    g.programme,
    g.kind,
    g.partition_start,
    g.partition_end,
    case
        when l.legacy_load_id is null and l.unified_load_id is null then 'not loaded'
        when l.legacy_load_id is null then 'legacy not loaded'
        when l.unified_load_id is null then 'unified not loaded'
        when r.parity_id is null then 'not compared'
        when (r.legacy_load_id, r.unified_load_id) <> (l.legacy_load_id, l.unified_load_id) then 'stale'
        when r.differences > g.tolerance * greatest(r.legacy_rows, r.unified_rows) then 'differs'
        -- Late records are not counted, so among many of them anything could hide.
        when r.late > 0 and l.outdated is not null then l.outdated || ' outdated'
        else 'clean'
    end as state,
    -- By an earlier comparison too, where a table has been loaded again since.
    coalesce(r.differences > g.tolerance * greatest(r.legacy_rows, r.unified_rows), false) as beyond_tolerance,
    r.parity_id,
    r.legacy_load_id,
    r.unified_load_id,
    r.legacy_rows,
    r.unified_rows,
    r.matched,
    r.differences,
    case when r.matched + r.differences - r.duplicated = 0 then 1.0
         else r.matched::double precision / (r.matched + r.differences - r.duplicated) end as match_rate,
    r.missing_in_unified,
    r.missing_in_legacy,
    r.value_differs,
    r.deleted_in_unified,
    r.deleted_in_legacy,
    r.other_partition,
    r.duplicated,
    r.late,
    r.by_field,
    r.rules,
    r.patterns,
    r.compared_at,
    g.place,
    l.legacy_read_at,
    l.unified_read_at,
    l.outdated
from grid g
left join dated l on (l.programme, l.kind, l.partition_start) = (g.programme, g.kind, g.partition_start)
left join ops.parity r
    on (r.programme, r.kind, r.partition_start) = (g.programme, g.kind, g.partition_start) and r.is_current;
comment on view ops.parity_state is 'One row a programme, table and partition: compared or not, by which result, and how it stands.';
