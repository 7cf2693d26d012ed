{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='period_start',
    tags=['weekly', 'tracker'],
    meta={'tested_whole': true, 'dagster': {'group': 'hiv_tracker', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['period_start', 'org_unit_uid'], 'unique': true}, {'columns': ['week_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- A person counts at the unit of the latest enrolment or visit, and there once. The description has the
-- run-out rules.
with scope as (
    select * from ({{ month_ends(ref('int_hiv_event')) }}) as ends
    where {{ weeks_of_run('week_start') }} or {{ weeks_after_run('week_start') }}
),

contacts as (
    select
        patient_source_key,
        org_unit_uid,
        day,
        lead(day) over (partition by patient_source_key order by day, kind, event_key) as next_day
    from {{ ref('int_hiv_event') }}
    where kind in ('enrolment', 'visit')
),

persons as (
    select scope.period_start, scope.period_end, contacts.patient_source_key, contacts.org_unit_uid
    from scope
    inner join contacts
        on contacts.day <= scope.period_end and (contacts.next_day is null or contacts.next_day > scope.period_end)
),

supplies as (
    select
        patient_source_key,
        day,
        day + drug_days as runs_out_on,
        lead(day) over (partition by patient_source_key order by day, drug_days, event_key) as next_day
    from {{ ref('int_hiv_event') }}
    -- The longest supply and the longest rule, before the first month end.
    where drug_days is not null and day >= (select min(period_end) from scope) - (366 + 60)
),

supplied as (
    select scope.period_start, supplies.patient_source_key, supplies.day, supplies.runs_out_on
    from scope
    inner join supplies
        on supplies.day <= scope.period_end
        and (supplies.next_day is null or supplies.next_day > scope.period_end)
        and scope.period_end <= supplies.runs_out_on + 60
),

exits as (
    select distinct on (scope.period_start, exits.patient_source_key)
        scope.period_start,
        exits.patient_source_key,
        exits.day,
        exits.exit_reason
    from scope
    inner join {{ ref('int_hiv_event') }} as exits on exits.kind = 'exit' and exits.day <= scope.period_end
    where exits.exit_reason in ('DIED', 'TRANSFER_OUT', 'STOPPED')
    order by scope.period_start, exits.patient_source_key, exits.day desc, exits.exit_reason
),

loads as (
    select
        patient_source_key,
        day,
        is_suppressed,
        lead(day) over (partition by patient_source_key order by day, event_key) as next_day
    from {{ ref('int_hiv_event') }}
    where kind = 'viral_load' and is_suppressed is not null
        and day > (select min(period_end) from scope) - interval '13 months'
),

measured as (
    select scope.period_start, loads.patient_source_key, loads.is_suppressed
    from scope
    inner join loads
        on loads.day <= scope.period_end
        and (loads.next_day is null or loads.next_day > scope.period_end)
        and loads.day > scope.period_end - interval '12 months'
),

seen_after_exit as (
    select exits.period_start, exits.patient_source_key, exits.exit_reason
    from exits
    left join supplied
        on exits.period_start = supplied.period_start and exits.patient_source_key = supplied.patient_source_key
    where supplied.day is null or supplied.day <= exits.day
),

states as (
    select
        persons.period_start,
        persons.org_unit_uid,
        coalesce(gone.exit_reason, '') not in ('DIED', 'TRANSFER_OUT') as is_enrolled,
        gone.exit_reason is null and coalesce(persons.period_end <= supplied.runs_out_on + 30, false) as is_on_art_30,
        gone.exit_reason is null and supplied.patient_source_key is not null as is_on_art_60,
        measured.is_suppressed
    from persons
    left join supplied
        on persons.period_start = supplied.period_start and persons.patient_source_key = supplied.patient_source_key
    left join seen_after_exit as gone
        on persons.period_start = gone.period_start and persons.patient_source_key = gone.patient_source_key
    left join measured
        on persons.period_start = measured.period_start and persons.patient_source_key = measured.patient_source_key
)

-- A unit that is not in the registry is kept, as unmapped.
select
    scope.week_start,
    states.period_start,
    coalesce(closure.ancestor_uid, states.org_unit_uid, 'unknown') as org_unit_uid,
    coalesce(closure.ancestor_role, 'unmapped') as level,
    count(*) filter (where states.is_enrolled) as enrolled,
    count(*) filter (where states.is_on_art_60) as on_art_60,
    count(*) filter (where states.is_on_art_30) as on_art_30,
    count(*) filter (where states.is_on_art_30 and states.is_suppressed is not null) as viral_load_done,
    count(*) filter (where states.is_on_art_30 and states.is_suppressed) as suppressed
from states
inner join scope on states.period_start = scope.period_start
left join {{ ref('int_org_unit_closure') }} as closure
    on states.org_unit_uid = closure.descendant_uid and closure.is_reporting_level
group by 1, 2, 3, 4
