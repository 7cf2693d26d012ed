{{ config(
    materialized='incremental',
    incremental_strategy='replace_months',
    event_time='period_start',
    on_schema_change='append_new_columns',
    tags=['monthly'],
    indexes=[{'columns': ['period_start', 'data_set_uid', 'org_unit_uid'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- The months are those that landed something, in the window of the run.
with entries as (
    select * from {{ ref('stg_hmis__data_values') }} where {{ months_of_run('period_start') }}
),

values_present as (
    select
        entries.period_start,
        elements.data_set_uid,
        entries.org_unit_uid,
        count(*) as values_present
    from entries
    inner join {{ ref('stg_hmis__data_set_elements') }} as elements
        on entries.data_element_uid = elements.data_element_uid
    group by entries.period_start, elements.data_set_uid, entries.org_unit_uid
),

-- A data set with an attribute category combo has a registration per option combo: any of them counts the report
-- as received, the first one tells when.
registrations as (
    select
        period_start,
        data_set_uid,
        org_unit_uid,
        min(completed_date) as completed_date
    from {{ ref('stg_hmis__complete_registrations') }}
    where is_completed and {{ months_of_run('period_start') }}
    group by period_start, data_set_uid, org_unit_uid
),

months as (
    select period_start from values_present
    union
    select period_start from registrations
),

expected as (
    select
        periods.period_start,
        assigned.data_set_uid,
        assigned.org_unit_uid
    from months
    inner join {{ ref('dim_period') }} as periods on months.period_start = periods.period_start
    cross join {{ ref('stg_hmis__data_set_org_units') }} as assigned
    inner join {{ ref('dim_data_set') }} as data_sets
        on assigned.data_set_uid = data_sets.data_set_uid and data_sets.period_type = 'Monthly'
    inner join {{ ref('stg_hmis__organisation_units') }} as units on assigned.org_unit_uid = units.org_unit_uid
    where (units.opening_date is null or units.opening_date <= periods.period_end)
        and (units.closed_date is null or units.closed_date >= periods.period_start)
),

reports as (
    select
        coalesce(expected.period_start, registrations.period_start) as period_start,
        coalesce(expected.data_set_uid, registrations.data_set_uid) as data_set_uid,
        coalesce(expected.org_unit_uid, registrations.org_unit_uid) as org_unit_uid,
        expected.org_unit_uid is not null as is_expected,
        registrations.org_unit_uid is not null as is_received,
        registrations.completed_date
    from expected
    full outer join registrations
        on expected.period_start = registrations.period_start
        and expected.data_set_uid = registrations.data_set_uid
        and expected.org_unit_uid = registrations.org_unit_uid
)

select
    reports.period_start,
    reports.data_set_uid,
    reports.org_unit_uid,
    reports.is_expected,
    reports.is_received,
    reports.is_received and not reports.is_expected as is_received_unexpected,
    reports.is_received
    and coalesce(reports.completed_date <= periods.period_end + ceil(data_sets.timely_days)::integer, false)
        as is_received_on_time,
    reports.completed_date,
    coalesce(values_present.values_present, 0) as values_present,
    values_present.values_present is not null as has_values
from reports
inner join {{ ref('dim_period') }} as periods on reports.period_start = periods.period_start
left join {{ ref('dim_data_set') }} as data_sets on reports.data_set_uid = data_sets.data_set_uid
left join values_present
    on reports.period_start = values_present.period_start
    and reports.data_set_uid = values_present.data_set_uid
    and reports.org_unit_uid = values_present.org_unit_uid
