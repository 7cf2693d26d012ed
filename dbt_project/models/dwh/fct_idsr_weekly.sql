{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    tags=['weekly'],
    meta={'dagster': {'group': 'idsr', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['week_start', 'path', 'place_key', 'disease_code', 'age_band'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

with reports as (
    select * from {{ ref('fct_idsr_report') }}
    where {{ weeks_of_run('week_start') }}
),

-- A facility that was notified twice of a disease and week: the later notification is the one that counts.
notified as (
    select distinct on (notifications.partition_start, places.place_key, notifications.disease_code)
        notifications.partition_start as week_start,
        places.place_key,
        notifications.disease_code,
        notifications.notification_id,
        {{ local_day('notifications.reported_at') }} as received_on
    from {{ ref('stg_idsr__notifications') }} as notifications
    cross join lateral {{ place_of_notification('notifications') }} as places
    where {{ weeks_of_run('notifications.partition_start') }}
    order by
        notifications.partition_start,
        places.place_key,
        notifications.disease_code,
        notifications.source_updated_at desc nulls last,
        notifications.notification_id
),

cells as (
    select
        notified.week_start,
        'direct' as path,
        notified.place_key,
        notified.disease_code,
        coalesce(bands.age_band, 'unknown') as age_band,
        notified.received_on,
        sum(bands.cases) as cases,
        sum(bands.deaths) as deaths
    from notified
    inner join {{ ref('stg_idsr__notification_bands') }} as bands
        on notified.notification_id = bands.notification_id and notified.week_start = bands.partition_start
    where {{ weeks_of_run('bands.partition_start') }}
    group by
        notified.week_start, notified.place_key, notified.disease_code, coalesce(bands.age_band, 'unknown'),
        notified.received_on
    union all
    select
        entries.partition_start,
        'dhis2',
        entries.org_unit_uid,
        elements.disease_code,
        coalesce(bands.age_band, 'unknown'),
        null,
        sum(entries.value_number) filter (where elements.measure = 'cases'),
        sum(entries.value_number) filter (where elements.measure = 'deaths')
    from {{ ref('stg_idsr_dhis2__values') }} as entries
    inner join {{ ref('int_idsr_element') }} as elements on entries.data_element_uid = elements.data_element_uid
    left join {{ ref('int_idsr_age_combo') }} as bands
        on entries.category_option_combo_uid = bands.category_option_combo_uid
    where {{ weeks_of_run('entries.partition_start') }}
    group by
        entries.partition_start, entries.org_unit_uid, elements.disease_code, coalesce(bands.age_band, 'unknown')
),

questions as (
    select distinct asked.data_set_uid, asked.data_element_uid, elements.disease_code
    from {{ ref('stg_hmis__data_set_elements') }} as asked
    inner join {{ ref('int_idsr_element') }} as elements on asked.data_element_uid = elements.data_element_uid
),

filled as (
    select distinct entries.partition_start, entries.org_unit_uid, questions.data_set_uid
    from {{ ref('stg_idsr_dhis2__values') }} as entries
    inner join questions on entries.data_element_uid = questions.data_element_uid
    where {{ weeks_of_run('entries.partition_start') }}
),

-- Of a form that is marked complete and has other cells filled an empty one says zero: of the diseases that this form asks for.
answered as (
    select distinct
        registrations.partition_start as week_start,
        registrations.org_unit_uid as place_key,
        questions.disease_code
    from {{ ref('stg_idsr_dhis2__registrations') }} as registrations
    inner join filled
        on registrations.partition_start = filled.partition_start
        and registrations.org_unit_uid = filled.org_unit_uid
        and registrations.data_set_uid = filled.data_set_uid
    inner join questions on registrations.data_set_uid = questions.data_set_uid
    where registrations.is_completed and {{ weeks_of_run('registrations.partition_start') }}
),

-- What every facility should have told, and whatever else one did: a disease or an age band that nobody knows.
asked as (
    select
        reports.week_start,
        reports.path,
        reports.place_key,
        diseases.disease_code,
        bands.age_band
    from reports
    cross join {{ ref('idsr_disease') }} as diseases
    cross join {{ ref('idsr_age_band') }} as bands
    union
    select week_start, path, place_key, disease_code, age_band from cells
)

select
    asked.week_start,
    asked.path,
    asked.place_key,
    reports.facility_uid,
    reports.source_code,
    asked.disease_code,
    asked.age_band,
    case when told.report <> 'none' then coalesce(cells.cases, 0)::bigint end as cases,
    case when told.report <> 'none' then coalesce(cells.deaths, 0)::bigint end as deaths,
    told.report,
    told.report <> 'none' as is_reported,
    reports.is_expected,
    case when told.report <> 'none' then coalesce(cells.received_on, reports.received_on) end as received_on,
    told.report <> 'none' and coalesce(coalesce(cells.received_on, reports.received_on) <= reports.due_on, false)
        as is_on_time
from asked
inner join reports
    on asked.week_start = reports.week_start and asked.path = reports.path and asked.place_key = reports.place_key
left join cells
    on asked.week_start = cells.week_start
    and asked.path = cells.path
    and asked.place_key = cells.place_key
    and asked.disease_code = cells.disease_code
    and asked.age_band = cells.age_band
left join answered
    on asked.week_start = answered.week_start
    and asked.place_key = answered.place_key
    and asked.disease_code = answered.disease_code
cross join lateral (
    select case
        when cells.cases > 0 or cells.deaths > 0 then 'cases'
        when cells.cases is not null or cells.deaths is not null then 'zero'
        -- A cell whose text is no number says nothing.
        when cells.place_key is not null then 'none'
        when asked.path = 'dhis2' and answered.place_key is not null and asked.age_band <> 'unknown' then 'blank'
        else 'none'
    end as report
) as told
