{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='period_start',
    tags=['weekly', 'tracker'],
    meta={'tested_whole': true, 'dagster': {'group': 'hiv_tracker', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['period_start', 'months_on', 'org_unit_uid'], 'unique': true}, {'columns': ['week_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- Who started, looked at so many months later to the day: in the month of that day.
with scope as (
    select * from ({{ month_ends(ref('int_hiv_event')) }}) as ends
    where {{ weeks_of_run('week_start') }} or {{ weeks_after_run('week_start') }}
),

-- Who was transferred in has started elsewhere.
starters as (
    select distinct on (patient_source_key) patient_source_key, org_unit_uid, art_started_on
    from {{ ref('int_hiv_event') }}
    where kind = 'enrolment' and art_started_on is not null and coalesce(entry_point, '') <> 'TRANSFER'
    order by patient_source_key, art_started_on, day, event_key
),

looked_at as (
    select
        starters.*,
        marks.months_on,
        (starters.art_started_on + make_interval(months => marks.months_on))::date as day
    from starters
    cross join (values (6), (12)) as marks (months_on)
),

due as (
    select scope.period_start, scope.week_start, looked_at.*
    from looked_at
    inner join scope on looked_at.day between scope.period_start and scope.period_end
),

supplied as (
    select distinct on (due.patient_source_key, due.months_on)
        due.patient_source_key,
        due.months_on,
        events.day,
        events.day + events.drug_days as runs_out_on
    from due
    inner join {{ ref('int_hiv_event') }} as events
        on due.patient_source_key = events.patient_source_key and events.drug_days is not null and events.day <= due.day
    order by due.patient_source_key, due.months_on, events.day desc, events.drug_days desc
),

exits as (
    select distinct on (due.patient_source_key, due.months_on)
        due.patient_source_key,
        due.months_on,
        events.day,
        events.exit_reason
    from due
    inner join {{ ref('int_hiv_event') }} as events
        on due.patient_source_key = events.patient_source_key and events.kind = 'exit' and events.day <= due.day
    where events.exit_reason in ('DIED', 'TRANSFER_OUT', 'STOPPED')
    order by due.patient_source_key, due.months_on, events.day desc, events.exit_reason
),

states as (
    select
        due.period_start,
        due.week_start,
        due.org_unit_uid,
        due.months_on,
        gone.exit_reason,
        coalesce(due.day <= supplied.runs_out_on + 30, false) as is_on_art_30,
        coalesce(due.day <= supplied.runs_out_on + 60, false) as is_on_art_60
    from due
    left join supplied
        on due.patient_source_key = supplied.patient_source_key and due.months_on = supplied.months_on
    left join exits as gone
        on due.patient_source_key = gone.patient_source_key
        and due.months_on = gone.months_on
        and (supplied.day is null or supplied.day <= gone.day)
)

-- A unit that is not in the registry is kept, as unmapped.
select
    states.week_start,
    states.period_start,
    states.months_on,
    coalesce(closure.ancestor_uid, states.org_unit_uid, 'unknown') as org_unit_uid,
    coalesce(closure.ancestor_role, 'unmapped') as level,
    count(*) as started,
    count(*) filter (where states.exit_reason = 'TRANSFER_OUT') as transferred_out,
    count(*) filter (where states.exit_reason = 'DIED') as died,
    count(*) filter (where states.exit_reason is null and states.is_on_art_60) as retained_60,
    count(*) filter (where states.exit_reason is null and states.is_on_art_30) as retained_30
from states
left join {{ ref('int_org_unit_closure') }} as closure
    on states.org_unit_uid = closure.descendant_uid and closure.is_reporting_level
group by 1, 2, 3, 4, 5
