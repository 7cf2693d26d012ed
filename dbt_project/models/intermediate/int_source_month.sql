{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'operations', 'owners': ['team:data-engineering']}}
) }}

-- What reports say of a month's completeness. Everybody reads it, so it has no numbers of records. A week of IDSR belongs to the
-- month of its Thursday; any other has part in each month that has a day of it.
with sources as (
    select * from (
        values
        ('hmis', 'hmis_data_values', 'monthly', 0),
        ('ebuzima', 'ebuzima_deliveries', 'weekly', 0),
        ('ebuzima', 'ebuzima_newborns', 'weekly', 0),
        ('idsr', 'idsr_notifications', 'weekly', 3),
        ('idsr_dhis2', 'hmis_weekly_values', 'weekly', 3),
        ('idsr_dhis2', 'hmis_weekly_registrations', 'weekly', 3),
        ('efiche', 'efiche_visits', 'monthly', 0),
        ('efiche_lab', 'efiche_lab_orders', 'monthly', 0),
        ('hpemr', 'hpemr_encounters', 'monthly', 0),
        ('cemr', 'cemr_community_encounters', 'monthly', 0)
    ) as told (source, relation, cadence, days)
),

expected as (
    select sources.source, sources.relation, periods.period_start, partitions.partition_start
    from sources
    cross join {{ ref('dim_period') }} as periods
    cross join lateral (
        select week::date as partition_start
        from generate_series(
            date_trunc('week', (periods.period_start + sources.days)::timestamp),
            date_trunc('week', (periods.period_end - sources.days)::timestamp),
            interval '1 week'
        ) as series (week)
        where sources.cadence = 'weekly'
        union all
        select periods.period_start
        where sources.cadence = 'monthly'
    ) as partitions
),

partitions as (
    select
        expected.source,
        expected.period_start,
        expected.partition_start,
        bool_and(loaded.loaded_at is not null) as is_loaded,
        max(loaded.loaded_at) as loaded_at
    from expected
    left join {{ ref('int_partition_loaded') }} as loaded
        on expected.relation = loaded.relation and expected.partition_start = loaded.partition_start
    group by expected.source, expected.period_start, expected.partition_start
)

select
    programme as source,
    period_start,
    partitions_expected,
    partitions_loaded,
    is_complete,
    data_as_of
from {{ ref('int_programme_month') }}
union all
select
    source,
    period_start,
    count(*) as partitions_expected,
    count(*) filter (where is_loaded) as partitions_loaded,
    bool_and(is_loaded) as is_complete,
    max(loaded_at) as data_as_of
from partitions
group by source, period_start
