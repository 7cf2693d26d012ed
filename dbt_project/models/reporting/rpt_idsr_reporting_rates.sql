{{ config(tags=['weekly'], meta={'dagster': {'group': 'idsr', 'owners': ['team:data-engineering']}}) }}

-- By either path: a facility counts once, on time when one of its reports was.
with reports as (
    select week_start, path, place_key, facility_uid, is_expected, is_received, is_on_time, due_on
    from {{ ref('fct_idsr_report') }}
    union all
    select
        week_start,
        'either',
        place_key,
        max(facility_uid),
        bool_or(is_expected),
        bool_or(is_received),
        bool_or(is_on_time),
        max(due_on)
    from {{ ref('fct_idsr_report') }}
    group by week_start, place_key
),

counted as (
    select
        reports.week_start,
        reports.path,
        coalesce(units.district_uid, 'unmapped') as district_key,
        count(*) filter (where reports.is_expected) as expected,
        count(*) filter (where reports.is_expected and reports.is_received) as received,
        count(*) filter (where reports.is_expected and reports.is_on_time) as received_on_time,
        count(*) filter (where reports.is_received and not reports.is_expected) as received_unexpected,
        max(reports.due_on) as due_on
    from reports
    left join {{ ref('int_org_unit') }} as units on reports.facility_uid = units.org_unit_uid
    group by reports.week_start, reports.path, coalesce(units.district_uid, 'unmapped')
),

loaded as (
    select
        partitions.partition_start as week_start,
        paths.path,
        max(partitions.loaded_at) as data_as_of
    from (
        values
        ('direct', 'idsr_notifications'),
        ('dhis2', 'hmis_weekly_values'),
        ('dhis2', 'hmis_weekly_registrations'),
        ('either', 'idsr_notifications'),
        ('either', 'hmis_weekly_values'),
        ('either', 'hmis_weekly_registrations')
    ) as paths (path, relation)
    inner join {{ ref('int_partition_loaded') }} as partitions on paths.relation = partitions.relation
    group by partitions.partition_start, paths.path
)

select
    weeks.epi_week,
    weeks.epi_year,
    weeks.epi_week_number,
    counted.week_start,
    counted.path,
    counted.district_key,
    districts.district_name as district,
    districts.province_name as province,
    counted.expected,
    counted.received,
    counted.received_on_time,
    counted.received - counted.received_on_time as received_late,
    counted.received_unexpected,
    round(100.0 * counted.received / nullif(counted.expected, 0), 1)::double precision as completeness,
    round(100.0 * counted.received_on_time / nullif(counted.expected, 0), 1)::double precision as timeliness,
    counted.due_on,
    {{ local_day('now()') }} > counted.due_on as is_due,
    loaded.data_as_of
from counted
inner join {{ ref('dim_epi_week') }} as weeks on counted.week_start = weeks.week_start
left join loaded on counted.week_start = loaded.week_start and counted.path = loaded.path
left join {{ ref('dim_geography') }} as districts on counted.district_key = districts.geography_uid
