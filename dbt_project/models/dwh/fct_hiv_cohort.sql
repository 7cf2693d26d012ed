{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='looked_at_quarter',
    tags=['weekly', 'tracker'],
    meta={'tested_whole': true, 'dagster': {'group': 'hiv_tracker', 'owners': ['team:data-engineering']}},
    indexes=[
        {'columns': ['looked_at_quarter', 'months_on', 'org_unit_uid'], 'unique': true}, {'columns': ['week_start']}
    ]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- Whole quarters, of whoever had been on treatment for so many months then.
with scope as (
    select * from ({{ month_ends(ref('int_hiv_event')) }}) as ends
    where {{ weeks_of_run('week_start') }} or {{ weeks_after_run('week_start') }}
),

quarters as (
    select date_trunc('quarter', period_start)::date as looked_at_quarter, week_start
    from scope
    where extract(month from period_start) in (3, 6, 9, 12)
),

counts as (
    select
        quarters.week_start,
        quarters.looked_at_quarter,
        months.months_on,
        months.org_unit_uid,
        months.level,
        sum(months.started)::bigint as started,
        sum(months.transferred_out)::bigint as transferred_out,
        sum(months.died)::bigint as died,
        sum(months.retained_60)::bigint as retained_60,
        sum(months.retained_30)::bigint as retained_30
    from {{ ref('int_hiv_cohort') }} as months
    inner join quarters on date_trunc('quarter', months.period_start)::date = quarters.looked_at_quarter
    group by quarters.week_start, quarters.looked_at_quarter, months.months_on, months.org_unit_uid, months.level
),

cells as (
    select
        'hiv_cohort_' || counts.months_on as suppression_group,
        counts.looked_at_quarter as atom_start,
        counts.org_unit_uid,
        series.name as series,
        series.value
    from counts
    cross join lateral (
        values
        ('started', counts.started),
        ('transferred_out', counts.transferred_out),
        ('died', counts.died),
        ('retained_60', counts.retained_60),
        ('retained_30', counts.retained_30),
        ('started less transferred_out', counts.started - counts.transferred_out),
        ('retained_60 less retained_30', counts.retained_60 - counts.retained_30),
        ('lost', counts.started - counts.transferred_out - counts.died - counts.retained_60),
        ('lost by 30', counts.started - counts.transferred_out - counts.died - counts.retained_30)
    ) as series (name, value)
),

-- Whoever started counts after 6 months and after 12, and may be shown after the one and not after the other.
shown as (
    with {{ shown_places('cells', {'started': [
        'transferred_out', 'died', 'retained_60', 'retained_30', 'started less transferred_out',
        'retained_60 less retained_30', 'lost', 'lost by 30'
    ]}) }}
)

select
    counts.week_start,
    counts.looked_at_quarter,
    counts.months_on,
    counts.org_unit_uid,
    counts.level,
    {%- for name in ['started', 'transferred_out', 'died', 'retained_60', 'retained_30'] %}
    case when shown.is_shown then counts.{{ name }} end as {{ name }},
    {%- endfor %}
    coalesce(shown.is_shown, false) as is_shown
from counts
left join shown
    on 'hiv_cohort_' || counts.months_on = shown.suppression_group
    and counts.looked_at_quarter = shown.period_start
    and counts.org_unit_uid = shown.org_unit_uid
