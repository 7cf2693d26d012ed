{{ config(
    materialized='incremental',
    incremental_strategy='replace_months',
    event_time='period_start',
    on_schema_change='append_new_columns',
    tags=['monthly', 'clinical'],
    meta={'dagster': {'group': 'clinical', 'owners': ['team:data-engineering']}},
    indexes=[
        {'columns': ['period_start', 'level', 'org_unit_uid', 'lab_test_key'], 'unique': true},
        {'columns': ['level', 'period_start']}
    ]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- Sensitive tests are left out. So is a test that is not mapped, as nobody has said that it is not sensitive: where it is the only one,
-- even a sum over such tests would tell of it.
with results as (
    select * from {{ ref('fct_lab_result') }} where {{ months_of_run('period_start') }}
),

counted as (
    select
        results.period_start,
        coalesce(results.facility_uid, results.source_facility_code, 'unknown') as unit,
        results.lab_test_key,
        count(*) as results,
        count(results.is_positive) as positive_or_negative,
        count(*) filter (where results.is_positive) as positive
    from results
    inner join {{ ref('dim_lab_test') }} as tests on results.lab_test_key = tests.lab_test_key
    where not tests.is_sensitive
    group by 1, 2, 3
)

select
    counted.period_start,
    coalesce(closure.ancestor_uid, counted.unit) as org_unit_uid,
    coalesce(closure.ancestor_role, 'unmapped') as level,
    counted.lab_test_key,
    sum(counted.results)::bigint as results,
    sum(counted.positive_or_negative)::bigint as positive_or_negative,
    sum(counted.positive)::bigint as positive
from counted
left join {{ ref('int_org_unit_closure') }} as closure
    on counted.unit = closure.descendant_uid and closure.is_reporting_level
group by 1, 2, 3, 4
