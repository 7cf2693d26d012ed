{{ config(
    severity='warn',
    tags=['monthly'],
    meta={'dagster': {'ref': {'name': 'fct_indicator_value'}}}
) }}

-- Months are rolled up by the hierarchy of the day they are built. After a facility moved, older months still count it
-- where it was: the reports expected at a place then differ from today's, which this lists. Building them again heals it.
with today as (
    select
        data_sets.indicator_uid,
        rollup.org_unit_uid,
        rollup.period_start,
        sum(rollup.expected)::bigint as expected_reports
    from {{ ref('int_reporting_rollup') }} as rollup
    inner join {{ ref('int_indicator_data_set') }} as data_sets on rollup.data_set_uid = data_sets.data_set_uid
    where rollup.level <> 'facility'
    group by data_sets.indicator_uid, rollup.org_unit_uid, rollup.period_start
)

select facts.period_start, facts.org_unit_uid, facts.level, facts.indicator_uid
from {{ ref('fct_indicator_value') }} as facts
left join today
    on facts.indicator_uid = today.indicator_uid
    and facts.org_unit_uid = today.org_unit_uid
    and facts.period_start = today.period_start
where facts.level <> 'facility'
    and coalesce(facts.expected_reports, 0) <> coalesce(today.expected_reports, 0)
