{{ config(
    materialized='incremental',
    incremental_strategy='replace_months',
    event_time='period_start',
    on_schema_change='append_new_columns',
    tags=['monthly'],
    meta={'dagster': {'group': 'indicators', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['period_start', 'measure_code', 'org_unit_uid'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

{%- set lines = fact_measures() %}

with entries as (
    select * from {{ ref('fct_data_value') }} where {{ months_of_run('period_start') }}
),

reports as (
    select * from {{ ref('fct_reporting') }} where {{ months_of_run('period_start') }}
),

-- Months are those that landed something.
months as (
    select distinct period_start from reports
),

reported as (
    select
        entries.period_start,
        entries.org_unit_uid,
        items.measure_code,
        sum(entries.value * items.weight) as value
    from entries
    inner join {{ ref('int_measure_item') }} as items
        on entries.data_element_uid = items.data_element_uid
        and (
            items.category_option_combo_uid is null
            or entries.category_option_combo_uid = items.category_option_combo_uid
        )
    where entries.value is not null
    group by entries.period_start, entries.org_unit_uid, items.measure_code
),

-- A population of a year holds in every month of it; what becomes of it in an annualised indicator is said there.
populations as (
    select
        months.period_start,
        yearly.org_unit_uid,
        items.measure_code,
        sum(yearly.value_number * items.weight) as value
    from months
    inner join {{ ref('dim_period') }} as periods on months.period_start = periods.period_start
    inner join {{ ref('stg_hmis__yearly_values') }} as yearly on periods.year = yearly.year
    inner join {{ ref('int_measure_item') }} as items
        on yearly.data_element_uid = items.data_element_uid
        and (
            items.category_option_combo_uid is null
            or yearly.category_option_combo_uid = items.category_option_combo_uid
        )
    inner join {{ ref('measure') }} as measures
        on items.measure_code = measures.measure_code and measures.kind = 'population'
    where yearly.value_number is not null
    group by months.period_start, yearly.org_unit_uid, items.measure_code
),

-- Where a unit has a population and no target of its own, the target is a share of it.
stand_ins as (
    select
        totals.period_start,
        totals.org_unit_uid,
        measures.measure_code,
        totals.value * measures.share as value
    from populations as totals
    inner join {{ ref('measure') }} as measures on totals.measure_code = measures.share_of
    left join populations as own
        on totals.period_start = own.period_start
        and totals.org_unit_uid = own.org_unit_uid
        and measures.measure_code = own.measure_code
    where own.measure_code is null
),

counted as (
    {%- for line in lines %}
    select
        {{ line.month }} as period_start,
        {{ line.unit }} as org_unit_uid,
        '{{ line.measure }}' as measure_code,
        {{ line.value }} as value
    from {{ ref(line.fact) }}
    where {{ months_of_run(line.month) }} and {{ line.where }}
    group by 1, 2
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

per_unit as (
    select period_start, org_unit_uid, measure_code, value, false as is_estimated from reported
    union all
    select period_start, org_unit_uid, measure_code, value, false as is_estimated from populations
    union all
    select period_start, org_unit_uid, measure_code, value, true as is_estimated from stand_ins
    union all
    select period_start, org_unit_uid, measure_code, value, false as is_estimated from counted
)

-- A unit that is not in the registry is kept, as unmapped.
select
    per_unit.period_start,
    per_unit.measure_code,
    coalesce(closure.ancestor_uid, per_unit.org_unit_uid, 'unknown') as org_unit_uid,
    coalesce(closure.ancestor_role, 'unmapped') as level,
    sum(per_unit.value)::double precision as value,
    bool_or(per_unit.is_estimated) as is_estimated
from per_unit
left join {{ ref('int_org_unit_closure') }} as closure
    on per_unit.org_unit_uid = closure.descendant_uid and closure.is_reporting_level
group by
    per_unit.period_start,
    per_unit.measure_code,
    coalesce(closure.ancestor_uid, per_unit.org_unit_uid, 'unknown'),
    coalesce(closure.ancestor_role, 'unmapped')
