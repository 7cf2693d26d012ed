{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='period_start',
    tags=['weekly', 'tracker'],
    meta={'tested_whole': true, 'dagster': {'group': 'hiv_tracker', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['period_start', 'org_unit_uid'], 'unique': true}, {'columns': ['week_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- Each step includes the next one, so who is in one and not in the next is a cell as well.
with counts as (
    select * from {{ ref('int_hiv_month') }}
    where {{ weeks_of_run('week_start') }} or {{ weeks_after_run('week_start') }}
),

cells as (
    select
        'hiv_cascade' as suppression_group,
        counts.period_start as atom_start,
        counts.org_unit_uid,
        series.name as series,
        series.value
    from counts
    cross join lateral (
        values
        ('enrolled', counts.enrolled),
        ('on_art_60', counts.on_art_60),
        ('on_art_30', counts.on_art_30),
        ('viral_load_done', counts.viral_load_done),
        ('suppressed', counts.suppressed),
        ('enrolled less on_art_60', counts.enrolled - counts.on_art_60),
        ('enrolled less on_art_30', counts.enrolled - counts.on_art_30),
        ('on_art_60 less on_art_30', counts.on_art_60 - counts.on_art_30),
        ('on_art_30 less viral_load_done', counts.on_art_30 - counts.viral_load_done),
        ('viral_load_done less suppressed', counts.viral_load_done - counts.suppressed)
    ) as series (name, value)
),

shown as (
    with {{ shown_places('cells') }}
)

select
    counts.week_start,
    counts.period_start,
    counts.org_unit_uid,
    counts.level,
    {%- for name in ['enrolled', 'on_art_60', 'on_art_30', 'viral_load_done', 'suppressed'] %}
    case when shown.is_shown then counts.{{ name }} end as {{ name }},
    {%- endfor %}
    coalesce(shown.is_shown, false) as is_shown
from counts
left join shown on counts.period_start = shown.period_start and counts.org_unit_uid = shown.org_unit_uid
