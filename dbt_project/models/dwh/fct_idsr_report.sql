{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    tags=['weekly'],
    meta={'dagster': {'group': 'idsr', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['week_start', 'path', 'place_key'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- A path's weeks are those that are loaded whole: of others nobody knows who has not reported.
with weeks as (
    select
        paths.path,
        partitions.partition_start as week_start,
        partitions.partition_start + 6 as week_end
    from (
        values ('direct', 'idsr_notifications', 1), ('dhis2', 'hmis_weekly_values', 2), ('dhis2', 'hmis_weekly_registrations', 2)
    ) as paths (path, relation, relations)
    inner join {{ ref('stg_ops__partitions') }} as partitions on paths.relation = partitions.relation
    where {{ weeks_of_run('partitions.partition_start') }}
    group by paths.path, partitions.partition_start, paths.relations
    having count(*) = paths.relations
),

expected as (
    select weeks.week_start, weeks.path, reporters.facility_uid as place_key
    from weeks
    inner join {{ ref('int_idsr_reporter') }} as reporters
        on coalesce(reporters.opening_date <= weeks.week_end, true)
        and coalesce(reporters.closed_date >= weeks.week_start, true)
),

-- Of the direct path every notification is a report; the first of a week says when it came.
notified as (
    select
        notifications.partition_start as week_start,
        'direct' as path,
        places.place_key,
        min(notifications.facility_code) as source_code,
        min({{ local_day('notifications.reported_at') }}) as received_on
    from {{ ref('stg_idsr__notifications') }} as notifications
    cross join lateral {{ place_of_notification('notifications') }} as places
    where {{ weeks_of_run('notifications.partition_start') }}
    group by notifications.partition_start, places.place_key
),

-- DHIS2 counts a report as received when its form is marked complete; of several forms, the first one tells when.
completed as (
    select
        registrations.partition_start as week_start,
        'dhis2' as path,
        registrations.org_unit_uid as place_key,
        min(registrations.completed_date) as received_on
    from {{ ref('stg_idsr_dhis2__registrations') }} as registrations
    where registrations.is_completed
        and {{ weeks_of_run('registrations.partition_start') }}
        and registrations.data_set_uid in (
            select asked.data_set_uid
            from {{ ref('stg_hmis__data_set_elements') }} as asked
            inner join {{ ref('int_idsr_element') }} as elements on asked.data_element_uid = elements.data_element_uid
        )
    group by registrations.partition_start, registrations.org_unit_uid
),

filled as (
    select distinct
        entries.partition_start as week_start,
        'dhis2' as path,
        entries.org_unit_uid as place_key
    from {{ ref('stg_idsr_dhis2__values') }} as entries
    inner join {{ ref('int_idsr_element') }} as elements on entries.data_element_uid = elements.data_element_uid
    where {{ weeks_of_run('entries.partition_start') }}
),

told as (
    select
        week_start,
        path,
        place_key,
        null as source_code,
        true as is_expected,
        false as is_received,
        null::date as received_on,
        false as has_values
    from expected
    union all
    select week_start, path, place_key, source_code, false, true, received_on, true from notified
    union all
    select week_start, path, place_key, place_key, false, true, received_on, false from completed
    union all
    select week_start, path, place_key, place_key, false, false, null, true from filled
),

reports as (
    select
        told.week_start,
        told.path,
        told.place_key,
        max(told.source_code) as source_code,
        bool_or(told.is_expected) as is_expected,
        bool_or(told.is_received) as is_received,
        max(told.received_on) as received_on,
        bool_or(told.has_values) as has_values
    from told
    inner join weeks on told.week_start = weeks.week_start and told.path = weeks.path
    group by told.week_start, told.path, told.place_key
)

select
    reports.week_start,
    reports.path,
    reports.place_key,
    facilities.facility_uid,
    reports.source_code,
    reports.is_expected,
    reports.is_received,
    reports.has_values,
    reports.received_on,
    reports.week_start + 6 + coalesce(reporters.timely_days, 3) as due_on,
    reports.is_received
    and coalesce(reports.received_on <= reports.week_start + 6 + coalesce(reporters.timely_days, 3), false) as is_on_time
from reports
left join {{ ref('int_facility_registry') }} as facilities on reports.place_key = facilities.facility_uid
left join {{ ref('int_idsr_reporter') }} as reporters on reports.place_key = reporters.facility_uid
