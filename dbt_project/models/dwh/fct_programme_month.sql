{{ config(
    materialized='incremental',
    incremental_strategy='microbatch',
    event_time='period_start',
    batch_size='month',
    begin='2020-01-01',
    lookback=0,
    on_schema_change='append_new_columns',
    tags=['monthly', 'tracker'],
    meta={'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['period_start', 'programme', 'stage_key', 'org_unit_uid'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- dbt puts the batch's window, and an alias of its own, around a ref that has an event_time: hence the imports. The
-- window is of days; the partitions that hold them begin up to six days before.
with events as (
    select * from {{ ref('int_programme_event') }}
),

enrollments as (
    select * from {{ ref('int_programme_enrollment') }}
),

months as (
    select * from {{ ref('int_programme_month') }}
),

records as (
    select
        date_trunc('month', day)::date as period_start,
        programme,
        program_stage_uid as stage_key,
        org_unit_uid,
        tracked_entity_uid,
        status,
        status in ('ACTIVE', 'COMPLETED', 'VISITED') as took_place
    from events
    where {{ partitions_of_batch('partition_start') }}
    union all
    select
        date_trunc('month', day)::date as period_start,
        programme,
        {{ enrollment_stage_key('programme') }} as stage_key,
        org_unit_uid,
        tracked_entity_uid,
        status,
        status <> 'CANCELLED' as took_place
    from enrollments
    where {{ partitions_of_batch('partition_start') }}
),

-- A person seen at two facilities counts once in their district: places are counted, not summed. A unit that is not in
-- the registry is kept, as unmapped.
placed as (
    select
        records.*,
        coalesce(closure.ancestor_uid, records.org_unit_uid) as place_uid,
        coalesce(closure.ancestor_role, 'unmapped') as level
    from records
    left join {{ ref('int_org_unit_closure') }} as closure
        on records.org_unit_uid = closure.descendant_uid and closure.is_reporting_level
)

select
    placed.period_start,
    placed.programme,
    placed.stage_key,
    placed.place_uid as org_unit_uid,
    placed.level,
    count(*) as records,
    {%- for status in ['active', 'completed', 'visited', 'scheduled', 'overdue', 'skipped', 'cancelled'] %}
    count(*) filter (where placed.status = '{{ 'SCHEDULE' if status == 'scheduled' else status | upper }}') as {{ status }},
    {%- endfor %}
    count(*) filter (where placed.took_place) as took_place,
    count(distinct placed.tracked_entity_uid) filter (where placed.took_place) as people,
    coalesce(months.is_complete, false) as is_complete,
    months.data_as_of
from placed
left join months on placed.programme = months.programme and placed.period_start = months.period_start
group by
    placed.period_start, placed.programme, placed.stage_key, placed.place_uid, placed.level, months.is_complete,
    months.data_as_of
