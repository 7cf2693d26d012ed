{{ config(
    materialized='view',
    event_time='period_start',
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}}
) }}

-- The partitions that touch a month: of a weekly programme every ISO week with a day in it, of a monthly one the month.
with expected as (
    select
        programmes.programme,
        programmes.tables,
        periods.period_start,
        partitions.partition_start
    from {{ ref('int_programme') }} as programmes
    cross join {{ ref('dim_period') }} as periods
    cross join lateral (
        select week::date as partition_start
        from generate_series(
            date_trunc('week', periods.period_start::timestamp), periods.period_end::timestamp, interval '1 week'
        ) as series (week)
        where programmes.cadence = 'weekly'
        union all
        select periods.period_start
        where programmes.cadence = 'monthly'
    ) as partitions
),

-- Of the pipeline that the programme is read from now, with its enrolments and its events.
loaded as (
    select
        programmes.programme,
        partitions.partition_start,
        count(*) as relations,
        max(partitions.finished_at) as finished_at
    from {{ ref('int_programme') }} as programmes
    left join {{ ref('stg_ops__programme_sources') }} as sources on programmes.programme = sources.programme
    cross join lateral (
        select case when sources.pipeline = 'unified' then 'u_' else '' end || programmes.tables as prefix
    ) as read_from
    inner join {{ ref('stg_ops__partitions') }} as partitions
        on partitions.relation in (read_from.prefix || '_enrollments', read_from.prefix || '_events')
    group by programmes.programme, partitions.partition_start
)

select
    expected.programme,
    expected.period_start,
    count(*) as partitions_expected,
    count(*) filter (where loaded.relations = 2) as partitions_loaded,
    count(*) = count(*) filter (where loaded.relations = 2) as is_complete,
    max(loaded.finished_at) as data_as_of
from expected
left join loaded
    on expected.programme = loaded.programme and expected.partition_start = loaded.partition_start
group by expected.programme, expected.period_start
