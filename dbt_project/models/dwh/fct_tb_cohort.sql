{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='quarter_start',
    tags=['weekly', 'tracker'],
    meta={'tested_whole': true, 'dagster': {'group': 'hmis_tracker', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['quarter_start', 'org_unit_uid'], 'unique': true}, {'columns': ['week_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- Quarters that are over. One that is built again brings three years of them along: outcomes come later than notifications.
{%- set notified = [
    'notified', 'new_cases', 'relapses', 'previously_treated', 'bacteriologically_confirmed', 'extrapulmonary', 'hiv_known',
    'hiv_positive', 'resistant'
] %}
{%- set outcomes = ['cured', 'completed', 'failed', 'died', 'lost', 'not_evaluated'] %}

with scope as (
    select date_trunc('quarter', period_start)::date as quarter_start, period_end, week_start, last_day
    from ({{ month_ends(ref('int_tb_event')) }}) as ends
    cross join (select max(week_start) + 6 as last_day from {{ ref('int_tb_event') }}) as held
    where extract(month from period_start) in (3, 6, 9, 12)
        and (
            {{ weeks_of_run('week_start') }} or {{ weeks_after_run('week_start') }}
            or {{ weeks_before_run('week_start', 3 * 366) }}
        )
),

cases as (
    select distinct on (enrolment_key) * from {{ ref('int_tb_event') }}
    where kind = 'registration' and day is not null
    order by enrolment_key, day, event_key
),

results as (
    select distinct on (enrolment_key) enrolment_key, outcome from {{ ref('int_tb_event') }}
    where kind = 'outcome' and outcome is not null
    order by enrolment_key, day desc nulls last, event_key
),

-- The cohort is without resistant cases, who are treated for longer; whoever has no outcome was not evaluated.
counts as (
    select
        scope.week_start,
        scope.quarter_start,
        scope.period_end + interval '1 year' <= scope.last_day as is_cohort_over,
        coalesce(closure.ancestor_uid, cases.org_unit_uid, 'unknown') as org_unit_uid,
        coalesce(closure.ancestor_role, 'unmapped') as level,
        count(*) as notified,
        {%- for month in range(3) %}
        count(*) filter (
            where date_trunc('month', cases.day) = scope.quarter_start + interval '{{ month }} months'
        ) as notified_{{ month + 1 }},
        {%- endfor %}
        count(*) filter (where cases.patient_type = 'NEW') as new_cases,
        count(*) filter (where cases.patient_type = 'RELAPSE') as relapses,
        count(*) filter (where coalesce(cases.patient_type, '') not in ('NEW', 'RELAPSE')) as previously_treated,
        count(*) filter (where cases.basis = 'BC') as bacteriologically_confirmed,
        count(*) filter (where cases.site = 'EP') as extrapulmonary,
        count(*) filter (where cases.hiv_status in ('POS', 'NEG')) as hiv_known,
        count(*) filter (where cases.hiv_status = 'POS') as hiv_positive,
        count(*) filter (where is_resistant) as resistant,
        count(*) filter (where not is_resistant) as cohort,
        {%- for name, code in [('cured', 'CURED'), ('completed', 'COMPLETED'), ('failed', 'FAILED'), ('died', 'DIED'), ('lost', 'LTFU')] %}
        count(*) filter (where not is_resistant and results.outcome = '{{ code }}') as {{ name }},
        {%- endfor %}
        count(*) filter (
            where not is_resistant
                and coalesce(results.outcome, '') not in ('CURED', 'COMPLETED', 'FAILED', 'DIED', 'LTFU')
        ) as not_evaluated
    from scope
    inner join cases on date_trunc('quarter', cases.day)::date = scope.quarter_start
    cross join lateral (select coalesce(cases.resistance in ('RR', 'MDR'), false) as is_resistant) as judged
    left join results on cases.enrolment_key = results.enrolment_key
    left join {{ ref('int_org_unit_closure') }} as closure
        on cases.org_unit_uid = closure.descendant_uid and closure.is_reporting_level
    group by 1, 2, 3, 4, 5
),

cells as (
    select
        series.suppression_group,
        counts.quarter_start as atom_start,
        counts.org_unit_uid,
        series.name as series,
        series.value
    from counts
    cross join lateral (
        values
        {%- for name in notified %}
        ('notified', '{{ name }}', counts.{{ name }}),
        {%- endfor %}
        -- rpt_programme_monthly has them by month: two months and the quarter would tell of the third.
        {%- for month in range(1, 4) %}
        ('notified', 'month {{ month }}', counts.notified_{{ month }}),
        ('outcomes', 'month {{ month }}', counts.notified_{{ month }}),
        {%- endfor %}
        ('notified', 'not bacteriologically confirmed', counts.notified - counts.bacteriologically_confirmed),
        ('notified', 'pulmonary', counts.notified - counts.extrapulmonary),
        ('notified', 'hiv not known', counts.notified - counts.hiv_known),
        ('notified', 'hiv negative', counts.hiv_known - counts.hiv_positive),
        ('notified', 'not resistant', counts.cohort),
        {%- for name in outcomes %}
        ('outcomes', '{{ name }}', counts.{{ name }}),
        {%- endfor %}
        ('outcomes', 'success', counts.cured + counts.completed),
        ('outcomes', 'cohort', counts.cohort),
        -- The cohort less those notified.
        ('outcomes', 'resistant', counts.resistant)
    ) as series (suppression_group, name, value)
),

-- How many were notified is known where outcomes are shown, and the size of the cohort where notifications are.
shown as (
    with {{ shown_places('cells', {
        'notified': notified[1:] + [
            'not bacteriologically confirmed', 'pulmonary', 'hiv not known', 'hiv negative', 'not resistant'
        ],
        'cohort': outcomes + ['success'],
    }) }}
)

select
    counts.week_start,
    counts.quarter_start,
    counts.org_unit_uid,
    counts.level,
    {%- for name in notified %}
    case when of_notified.is_shown then counts.{{ name }} end as {{ name }},
    {%- endfor %}
    counts.is_cohort_over,
    {%- for name in ['cohort'] + outcomes %}
    case when counts.is_cohort_over and of_outcomes.is_shown then counts.{{ name }} end as {{ name }},
    {%- endfor %}
    coalesce(of_notified.is_shown, false) as is_shown,
    coalesce(of_outcomes.is_shown, false) as is_outcome_shown
from counts
left join shown as of_notified
    on of_notified.suppression_group = 'notified'
    and counts.quarter_start = of_notified.period_start
    and counts.org_unit_uid = of_notified.org_unit_uid
left join shown as of_outcomes
    on of_outcomes.suppression_group = 'outcomes'
    and counts.quarter_start = of_outcomes.period_start
    and counts.org_unit_uid = of_outcomes.org_unit_uid
