{{ config(
    materialized='incremental',
    incremental_strategy='microbatch',
    event_time='period_start',
    batch_size='year',
    begin='2020-01-01',
    lookback=0,
    on_schema_change='append_new_columns',
    tags=['monthly'],
    meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}},
    indexes=[
        {'columns': ['period_start', 'indicator_id', 'org_unit_uid'], 'unique': true},
        {'columns': ['org_unit_uid', 'indicator_id']},
        {'columns': ['level', 'indicator_id']}
    ]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- WHO data quality review: a value is judged beside the others of its calendar year. A batch is therefore a year, whole,
-- whichever months the run is for: a month landed again costs twelve, however many years there are.
-- dbt puts the batch's window, and an alias of its own, around a ref that has an event_time: hence the imports.
with reported as (
    select * from {{ ref('int_quality_value') }}
),

reports as (
    select * from {{ ref('fct_reporting') }}
),

members as (
    {{ quality_members() }}
),

-- A value is expected where a report is that has one of the indicator's data elements.
forms as (
    select distinct members.indicator_id, elements.data_set_uid
    from members
    inner join {{ ref('stg_hmis__data_set_elements') }} as elements
        on members.data_element_uid = elements.data_element_uid
),

expected as (
    select distinct reports.period_start, reports.org_unit_uid, forms.indicator_id
    from reports
    inner join forms on reports.data_set_uid = forms.data_set_uid
    where reports.is_expected
),

known as (
    select
        coalesce(reported.period_start, expected.period_start) as period_start,
        coalesce(reported.org_unit_uid, expected.org_unit_uid) as org_unit_uid,
        coalesce(reported.indicator_id, expected.indicator_id) as indicator_id,
        reported.value,
        expected.org_unit_uid is not null as is_expected
    from reported
    full outer join expected
        on reported.period_start = expected.period_start
        and reported.org_unit_uid = expected.org_unit_uid
        and reported.indicator_id = expected.indicator_id
),

-- A unit that is not in the registry is kept, as unmapped.
unit_months as (
    select
        known.period_start,
        extract(year from known.period_start)::integer as year,
        coalesce(closure.ancestor_uid, known.org_unit_uid) as org_unit_uid,
        coalesce(closure.ancestor_role, 'unmapped') as level,
        known.indicator_id,
        sum(known.value) as value,
        count(*) filter (where known.is_expected) as expected_values,
        count(known.value) filter (where known.is_expected) as reported_values,
        count(known.value) filter (where not known.is_expected) as unexpected_values
    from known
    left join {{ ref('int_org_unit_closure') }} as closure
        on known.org_unit_uid = closure.descendant_uid and closure.is_reporting_level
    group by
        known.period_start, coalesce(closure.ancestor_uid, known.org_unit_uid),
        coalesce(closure.ancestor_role, 'unmapped'), known.indicator_id
),

years as (
    select
        year,
        org_unit_uid,
        indicator_id,
        avg(value) as mean,
        stddev_samp(value) as deviation,
        percentile_cont(0.5) within group (order by value) as median
    from unit_months
    where value is not null
    group by year, org_unit_uid, indicator_id
),

spreads as (
    select
        months.year,
        months.org_unit_uid,
        months.indicator_id,
        percentile_cont(0.5) within group (order by abs(months.value - years.median)) as mad,
        avg(abs(months.value - years.median)) as mean_deviation
    from unit_months as months
    inner join years
        on months.year = years.year
        and months.org_unit_uid = years.org_unit_uid
        and months.indicator_id = years.indicator_id
    where months.value is not null
    group by months.year, months.org_unit_uid, months.indicator_id
),

scored as (
    select
        months.*,
        (months.value - years.mean) / nullif(years.deviation, 0) as z_score,
        (months.value - years.median)
        / case
            when spreads.mad > 0 then 1.486 * spreads.mad
            else nullif(1.253314 * spreads.mean_deviation, 0)
        end as modified_z_score
    from unit_months as months
    left join years
        on months.year = years.year
        and months.org_unit_uid = years.org_unit_uid
        and months.indicator_id = years.indicator_id
    left join spreads
        on months.year = spreads.year
        and months.org_unit_uid = spreads.org_unit_uid
        and months.indicator_id = spreads.indicator_id
)

select
    period_start,
    org_unit_uid,
    level,
    indicator_id,
    value,
    expected_values,
    reported_values,
    unexpected_values,
    z_score,
    modified_z_score,
    coalesce(abs(z_score) > {{ quality_setting('quality_extreme_sd') }}, false) as is_extreme,
    coalesce(abs(z_score) > {{ quality_setting('quality_moderate_sd') }}, false) as is_moderate,
    coalesce(abs(modified_z_score) > {{ quality_setting('quality_modified_z') }}, false) as is_modified_outlier
from scored
