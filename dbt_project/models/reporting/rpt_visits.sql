{{ config(tags=['monthly', 'clinical']) }}

-- Visits add up over months, schemes and systems; division comes last. What no visit tells is NULL and not 0.
with summed as (
    select
        months.level,
        months.org_unit_uid,
        names.period_type,
        names.period,
        shown.system,
        sum(months.visits)::bigint as visits,
        sum(months.new_case_told)::bigint as new_case_told,
        sum(months.new_cases)::bigint as new_cases,
        sum(months.outcome_told)::bigint as outcome_told,
        sum(months.referred)::bigint as referred,
        sum(months.admitted)::bigint as admitted,
        sum(months.left_untreated)::bigint as left_untreated
    from {{ ref('fct_visit_month') }} as months
    inner join {{ ref('dim_period') }} as periods on months.period_start = periods.period_start
    cross join lateral {{ periods_of('periods') }}
    cross join lateral (values (months.system), ('all')) as shown (system)
    group by 1, 2, 3, 4, 5
),

loaded as (
    {{ months_loaded_by_system({'efiche': 'efiche', 'hpemr': 'hpemr', 'cemr': 'cemr'}) }}
)

select
    {{ place_columns('summed') }},
    summed.period_type,
    summed.period,
    summed.system,
    summed.visits,
    summed.new_case_told,
    -- Less the new cases of rpt_outpatient_burden, which leaves sensitive diagnoses out, they would tell of these at a place.
    case when summed.new_case_told > 0 and summed.level = 'country' then summed.new_cases end as new_cases,
    summed.outcome_told,
    case when summed.outcome_told > 0 then summed.referred end as referred,
    (100.0 * summed.referred / nullif(summed.outcome_told, 0))::double precision as referred_share,
    summed.admitted,
    summed.left_untreated,
    coalesce(loaded.months_loaded, 0) as months_loaded,
    coalesce(loaded.is_complete, false) as is_complete,
    loaded.data_as_of
from summed
left join loaded
    on summed.period_type = loaded.period_type and summed.period = loaded.period and summed.system = loaded.system
{{ place_joins('summed') }}
