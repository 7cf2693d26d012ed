-- Which pipeline's tables the staging models read, programme by programme: the one switch, set by `hic cutover`.
create or replace view ops.programme_source as
select
    p.programme,
    case
        when not p.legacy then 'unified'
        else coalesce(
            (select c.action from ops.cutover c where c.programme = p.programme order by c.cutover_id desc limit 1),
            'legacy'
        )
    end as pipeline
from ops.programme p;
comment on view ops.programme_source is 'Pipeline whose tables the staging models read: legacy until the programme is signed off.';
