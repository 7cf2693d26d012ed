{{ config(tags=['monthly', 'clinical']) }}

-- Results add up over months; division comes last. A test that is called sensitive since its months were built is left out at once.
with summed as (
    select
        months.level,
        months.org_unit_uid,
        names.period_type,
        names.period,
        months.lab_test_key,
        sum(months.results)::bigint as results,
        sum(months.positive_or_negative)::bigint as positive_or_negative,
        sum(months.positive)::bigint as positive
    from {{ ref('fct_lab_month') }} as months
    inner join {{ ref('dim_period') }} as periods on months.period_start = periods.period_start
    cross join lateral {{ periods_of('periods') }}
    group by 1, 2, 3, 4, 5
),

loaded as (
    {{ months_loaded_by_system({'efiche': 'efiche_lab', 'cemr': 'cemr'}) }}
)

select
    {{ place_columns('summed') }},
    summed.period_type,
    summed.period,
    tests.system,
    tests.source_code,
    tests.name as test,
    tests.loinc_code,
    summed.results,
    summed.positive_or_negative,
    summed.positive,
    (100.0 * summed.positive / nullif(summed.positive_or_negative, 0))::double precision as share,
    coalesce(loaded.months_loaded, 0) as months_loaded,
    coalesce(loaded.is_complete, false) as is_complete,
    loaded.data_as_of
from summed
inner join {{ ref('dim_lab_test') }} as tests on summed.lab_test_key = tests.lab_test_key and not tests.is_sensitive
left join loaded
    on summed.period_type = loaded.period_type and summed.period = loaded.period and tests.system = loaded.system
{{ place_joins('summed') }}
