{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='week_start',
    tags=['weekly'],
    pre_hook="{{ ensure_parents() }}",
    meta={'tested_whole': true, 'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}},
    indexes=[
        {'columns': ['week_start', 'period_start', 'measure_code', 'item', 'org_unit_uid'], 'unique': true},
        {'columns': ['period_start', 'level', 'measure_code']}
    ]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

{%- set lines = event_counts() %}

-- Counted are the weeks of the run, and other weeks of which a fact now says another number than stands here: a record that
-- was moved leaves its old week at once, and a dose is judged anew by those that come later.
with told as (
    {%- for line in lines %}
    select week_start, '{{ line.measure }}' as measure_code, {{ line.value }} as value
    from {{ ref(line.fact) }}
    where {{ line.where }}
    group by week_start
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

weeks as (
    select distinct week_start from told where {{ weeks_of_run('week_start') }}
    {%- if is_incremental() %}
    union
    select week_start
    from (
        select week_start, measure_code, value from told
        union all
        select week_start, measure_code, -value from {{ this }} where level in ('country', 'unmapped')
    ) as compared
    where not ({{ weeks_of_run('week_start') }})
    group by week_start, measure_code
    having sum(value) <> 0
    {%- endif %}
),

counted as (
    {%- for line in lines %}
    select
        week_start,
        date_trunc('month', coalesce({{ line.day }}, week_start))::date as period_start,
        '{{ line.measure }}' as measure_code,
        {{ line.item }} as item,
        {{ line.unit }} as org_unit_uid,
        {{ line.value }} as value,
        {{ line.load }} as load_id
    from {{ ref(line.fact) }}
    where week_start in (select week_start from weeks) and ({{ line.where }})
    group by 1, 2, 4, 5
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

-- A unit that is not in the registry is kept, as unmapped.
placed as (
    select
        counted.week_start,
        counted.period_start,
        counted.measure_code,
        counted.item,
        coalesce(closure.ancestor_uid, counted.org_unit_uid, 'unknown') as org_unit_uid,
        coalesce(closure.ancestor_role, 'unmapped') as level,
        sum(counted.value)::bigint as value,
        max(loads.finished_at) as data_as_of
    from counted
    left join (
        select load_id, max(finished_at) as finished_at from {{ ref('stg_ops__partitions') }} group by load_id
    ) as loads on counted.load_id = loads.load_id
    left join {{ ref('int_org_unit_closure') }} as closure
        on counted.org_unit_uid = closure.descendant_uid and closure.is_reporting_level
    group by 1, 2, 3, 4, 5, 6
)

select * from placed
{%- if is_incremental() %}
union all
-- Of another week that lost its last record, what stands here becomes none.
select held.week_start, held.period_start, held.measure_code, held.item, held.org_unit_uid, held.level, 0, held.data_as_of
from {{ this }} as held
where held.week_start in (select week_start from weeks)
    and held.week_start not in (select week_start from counted)
    and not ({{ weeks_of_run('held.week_start') }})
{%- endif %}
