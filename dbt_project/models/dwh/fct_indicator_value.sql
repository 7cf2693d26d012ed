{{ config(
    materialized='incremental',
    incremental_strategy='replace_months',
    event_time='period_start',
    on_schema_change='append_new_columns',
    tags=['monthly'],
    meta={'dagster': {'group': 'indicators', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['period_start', 'indicator_uid', 'org_unit_uid'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

{%- set compiled = compiled_sides() %}

with operand_values as (
    select * from {{ ref('int_operand_value') }} where {{ months_of_run('period_start') }}
),

rollup as (
    select * from {{ ref('int_reporting_rollup') }} where {{ months_of_run('period_start') }}
),

-- One row a side of an indicator, unit and month, its operands in columns o1..on.
sides as materialized (
    select
        operands.indicator_uid,
        operands.side,
        operand_values.org_unit_uid,
        operand_values.level,
        operand_values.period_start,
        min(periods.days_in_month)::double precision as days,
        {%- for n in operand_columns(compiled) %}
        max(operand_values.value) filter (where operands.ordinal = {{ n }}) as o{{ n }}{{ "," if not loop.last }}
        {%- endfor %}
    from operand_values
    inner join {{ ref('int_indicator_operand') }} as operands on operand_values.operand_key = operands.operand_key
    inner join {{ ref('dim_period') }} as periods on operand_values.period_start = periods.period_start
    group by
        operands.indicator_uid, operands.side, operand_values.org_unit_uid, operand_values.level,
        operand_values.period_start
),

evaluated as materialized (
    select
        sides.indicator_uid,
        sides.side,
        sides.org_unit_uid,
        sides.level,
        sides.period_start,
        sides.days,
        {{ indicator_case(compiled) }} as value
    from sides
),

both_sides as (
    select
        indicator_uid,
        org_unit_uid,
        level,
        period_start,
        days,
        max(value) filter (where side = 'numerator') as numerator,
        max(value) filter (where side = 'denominator') as denominator
    from evaluated
    group by indicator_uid, org_unit_uid, level, period_start, days
),

completeness as (
    select
        data_sets.indicator_uid,
        rollup.org_unit_uid,
        rollup.period_start,
        sum(rollup.expected)::bigint as expected_reports,
        sum(rollup.received)::bigint as received_reports
    from rollup
    inner join {{ ref('int_indicator_data_set') }} as data_sets on rollup.data_set_uid = data_sets.data_set_uid
    group by data_sets.indicator_uid, rollup.org_unit_uid, rollup.period_start
),

loaded as (
    select period_start, max(finished_at) as data_as_of
    from {{ ref('stg_ops__loads') }}
    where system = 'hmis' and table_name = 'hmis_data_values'
    group by period_start
)

select
    both_sides.indicator_uid,
    both_sides.org_unit_uid,
    both_sides.level,
    both_sides.period_start,
    both_sides.numerator,
    both_sides.denominator,
    indicators.factor,
    -- DHIS2 multiplies by 365 / days of the period, in leap years too.
    case when indicators.is_annualized then 365 / both_sides.days else 1 end as annualization_factor,
    both_sides.numerator * indicators.factor
    * case when indicators.is_annualized then 365 / both_sides.days else 1 end
    / nullif(both_sides.denominator, 0) as value,
    completeness.expected_reports,
    completeness.received_reports,
    loaded.data_as_of
from both_sides
inner join {{ ref('dim_indicator') }} as indicators on both_sides.indicator_uid = indicators.indicator_uid
left join completeness
    on both_sides.indicator_uid = completeness.indicator_uid
    and both_sides.org_unit_uid = completeness.org_unit_uid
    and both_sides.period_start = completeness.period_start
left join loaded on both_sides.period_start = loaded.period_start
where both_sides.numerator is not null or both_sides.denominator is not null
