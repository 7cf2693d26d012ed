{{ config(
    materialized='incremental',
    incremental_strategy='replace_months',
    event_time='period_start',
    on_schema_change='append_new_columns',
    tags=['monthly'],
    meta={'dagster': {'group': 'indicators', 'owners': ['team:data-engineering']}},
    indexes=[
        {'columns': ['period_start', 'indicator_code', 'org_unit_uid'], 'unique': true},
        {'columns': ['level', 'indicator_code', 'period_start']}
    ]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

with measured as (
    select * from {{ ref('fct_measure_month') }} where {{ months_of_run('period_start') }}
),

rollup as (
    select * from {{ ref('int_reporting_rollup') }} where {{ months_of_run('period_start') }}
),

-- From the level an indicator is meant for upwards.
levels as (
    select indicators.indicator_code, roles.role as level
    from {{ ref('dim_core_indicator') }} as indicators
    inner join {{ ref('geographic_level') }} as lowest on indicators.lowest_level = lowest.role
    inner join {{ ref('geographic_level') }} as roles on roles.level <= lowest.level
    where indicators.is_evaluated
),

sides as (
    select
        terms.indicator_code,
        terms.side,
        measured.org_unit_uid,
        measured.level,
        measured.period_start,
        count(*) as terms_present,
        sum(
            measured.value * terms.weight
            * case when terms.times = 'days' then periods.days_in_month else 1 end
            -- A month's share of a year's population: months then add up to a quarter's and a year's.
            / case when measures.kind = 'population' and indicators.is_annualised then 12 else 1 end
        ) as value,
        bool_or(measured.is_estimated) as is_estimated
    from measured
    inner join {{ ref('indicator_measure') }} as terms on measured.measure_code = terms.measure_code
    inner join {{ ref('measure') }} as measures on terms.measure_code = measures.measure_code
    inner join {{ ref('dim_core_indicator') }} as indicators on terms.indicator_code = indicators.indicator_code
    inner join levels on terms.indicator_code = levels.indicator_code and measured.level = levels.level
    inner join {{ ref('dim_period') }} as periods on measured.period_start = periods.period_start
    group by terms.indicator_code, terms.side, measured.org_unit_uid, measured.level, measured.period_start
),

both_sides as (
    select
        indicator_code,
        org_unit_uid,
        level,
        period_start,
        {%- for side in ['numerator', 'denominator'] %}
        max(value) filter (where side = '{{ side }}') as {{ side }},
        max(terms_present) filter (where side = '{{ side }}') as {{ side }}_terms,
        {%- endfor %}
        bool_or(is_estimated) as is_estimated
    from sides
    group by indicator_code, org_unit_uid, level, period_start
),

data_sets as (
    select distinct terms.indicator_code, elements.data_set_uid
    from {{ ref('indicator_measure') }} as terms
    inner join {{ ref('int_measure_item') }} as items on terms.measure_code = items.measure_code
    inner join {{ ref('stg_hmis__data_set_elements') }} as elements
        on items.data_element_uid = elements.data_element_uid
    inner join {{ ref('stg_hmis__data_sets') }} as sets
        on elements.data_set_uid = sets.data_set_uid and sets.period_type = 'Monthly'
),

completeness as (
    select
        data_sets.indicator_code,
        rollup.org_unit_uid,
        rollup.period_start,
        sum(rollup.expected)::bigint as expected_reports,
        sum(rollup.received)::bigint as received_reports
    from rollup
    inner join data_sets on rollup.data_set_uid = data_sets.data_set_uid
    group by data_sets.indicator_code, rollup.org_unit_uid, rollup.period_start
),

loaded as (
    select period_start, max(finished_at) as data_as_of
    from {{ ref('stg_ops__loads') }}
    where system = 'hmis' and table_name = 'hmis_data_values'
    group by period_start
)

select
    both_sides.indicator_code,
    both_sides.org_unit_uid,
    both_sides.level,
    both_sides.period_start,
    both_sides.numerator,
    both_sides.denominator,
    coalesce(both_sides.numerator_terms < indicators.numerator_needs_terms, false)
    or coalesce(both_sides.denominator_terms < indicators.denominator_needs_terms, false) as has_missing_term,
    both_sides.is_estimated as has_estimated_target,
    completeness.expected_reports,
    completeness.received_reports,
    loaded.data_as_of
from both_sides
inner join {{ ref('dim_core_indicator') }} as indicators on both_sides.indicator_code = indicators.indicator_code
left join completeness
    on both_sides.indicator_code = completeness.indicator_code
    and both_sides.org_unit_uid = completeness.org_unit_uid
    and both_sides.period_start = completeness.period_start
left join loaded on both_sides.period_start = loaded.period_start
