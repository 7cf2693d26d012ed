{{ config(
    tags=['weekly'],
    pre_hook="{{ ensure_table('fct_measure_month') }}"
) }}

-- Notified in a period, and what became of them a year later. All add up over quarters; division comes last. The population is built by
-- month: macros/other_calls.sql says why it is no ref.
{%- set notified = [
    'notified', 'new_cases', 'relapses', 'previously_treated', 'bacteriologically_confirmed', 'extrapulmonary', 'hiv_known',
    'hiv_positive', 'resistant'
] %}
{%- set outcomes = ['cohort', 'cured', 'completed', 'failed', 'died', 'lost', 'not_evaluated'] %}

with populations as (
    select date_trunc('quarter', period_start)::date as quarter_start, org_unit_uid, avg(value) / 4 as population
    from {{ table_of('fct_measure_month') }}
    where measure_code = 'POPD_TOTAL'
    group by 1, 2
),

summed as (
    select
        facts.level,
        facts.org_unit_uid,
        names.period_type,
        names.period,
        count(*) as quarters,
        {%- for name in notified %}
        case when bool_and(facts.is_shown) then sum(facts.{{ name }})::bigint end as {{ name }},
        {%- endfor %}
        case when count(*) = count(populations.population) then sum(populations.population) end as population,
        bool_and(facts.is_cohort_over) as is_cohort_over,
        {%- for name in outcomes %}
        case when bool_and(facts.is_cohort_over and facts.is_outcome_shown) then sum(facts.{{ name }})::bigint end
            as {{ name }},
        {%- endfor %}
        not bool_and(facts.is_shown) as is_suppressed,
        bool_and(facts.is_cohort_over) and not bool_and(facts.is_outcome_shown) as is_outcome_suppressed
    from {{ ref('fct_tb_cohort') }} as facts
    inner join {{ ref('dim_period') }} as periods on facts.quarter_start = periods.period_start
    cross join lateral {{ periods_of('periods') }}
    left join populations
        on facts.quarter_start = populations.quarter_start and facts.org_unit_uid = populations.org_unit_uid
    where names.period_type <> 'month'
    group by facts.level, facts.org_unit_uid, names.period_type, names.period
)

select
    {{ place_columns('summed') }},
    summed.period_type,
    summed.period as period_notified,
    summed.quarters,
    summed.notified,
    summed.new_cases,
    summed.relapses,
    summed.previously_treated,
    summed.bacteriologically_confirmed,
    summed.extrapulmonary,
    summed.hiv_known,
    summed.hiv_positive,
    summed.resistant,
    summed.population,
    100000 * (summed.new_cases + summed.relapses) / nullif(summed.population, 0) as notification_rate,
    (100.0 * summed.bacteriologically_confirmed / nullif(summed.notified, 0))::double precision as confirmed_share,
    (100.0 * summed.hiv_known / nullif(summed.notified, 0))::double precision as hiv_known_share,
    summed.is_cohort_over,
    summed.cohort,
    summed.cured,
    summed.completed,
    summed.cured + summed.completed as success,
    summed.failed,
    summed.died,
    summed.lost,
    summed.not_evaluated,
    (100.0 * (summed.cured + summed.completed) / nullif(summed.cohort, 0))::double precision as success_rate,
    summed.is_suppressed,
    summed.is_outcome_suppressed
from summed
{{ place_joins('summed') }}
