{{ config(
    materialized='incremental',
    incremental_strategy='replace_months',
    event_time='period_start',
    on_schema_change='append_new_columns',
    tags=['monthly'],
    meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['period_start', 'org_unit_uid', 'rule_code'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- The rules of the WHO and DHIS2 packages that fit on one line: what is counted on the left is part of what is counted
-- on the right. Only months in which the unit reported the left side; a right side never reported counts as 0.
with sides as (
    select rules.rule_code, 'lesser' as side, code.code
    from {{ ref('consistency_rule') }} as rules
    cross join lateral unnest(string_to_array(rules.lesser_codes, '|')) as code (code)
    union all
    select rules.rule_code, 'greater' as side, code.code
    from {{ ref('consistency_rule') }} as rules
    cross join lateral unnest(string_to_array(rules.greater_codes, '|')) as code (code)
),

-- Each data element is summed over its disaggregations once, then compared in every rule it appears in.
totals as (
    select facts.period_start, facts.org_unit_uid, elements.code, sum(facts.value) as value
    from {{ ref('fct_data_value') }} as facts
    inner join {{ ref('dim_data_element') }} as elements on facts.data_element_uid = elements.data_element_uid
    where {{ months_of_run('facts.period_start') }}
        and elements.code in (select sides.code from sides)
        and facts.value is not null
    group by facts.period_start, facts.org_unit_uid, elements.code
),

compared as (
    select
        sides.rule_code,
        totals.period_start,
        totals.org_unit_uid,
        sum(totals.value) filter (where sides.side = 'lesser') as lesser_value,
        coalesce(sum(totals.value) filter (where sides.side = 'greater'), 0) as greater_value
    from totals
    inner join sides on totals.code = sides.code
    group by sides.rule_code, totals.period_start, totals.org_unit_uid
)

select rule_code, period_start, org_unit_uid, lesser_value, greater_value
from compared
where lesser_value > greater_value
