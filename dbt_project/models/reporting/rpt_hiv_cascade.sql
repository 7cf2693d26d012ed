{{ config(
    tags=['weekly'],
    pre_hook=[
        "{{ ensure_table('fct_measure_month') }}", "{{ ensure_table('int_disclosure', 'intermediate') }}"
    ]
) }}

-- Who is in care at the end of a period is taken from its last month; tests add up. What the HMIS says of tests and the people that live
-- with HIV is built by month (macros/other_calls.sql says why it is no ref), and kept back where rpt_core_indicators keeps it back.
with care as (
    select * from {{ ref('fct_hiv_cascade') }}
),

tests as (
    select
        measured.period_start,
        measured.org_unit_uid,
        max(measured.level) as level,
        max(measured.value) filter (where measured.measure_code = 'HIV_TESTED') as tested,
        max(measured.value) filter (where measured.measure_code = 'HIV_POSITIVE') as positive,
        max(measured.value) filter (where measured.measure_code = 'POPD_PLHIV') as living_with_hiv
    from {{ table_of('fct_measure_month') }} as measured
    where measured.measure_code in ('HIV_TESTED', 'HIV_POSITIVE', 'POPD_PLHIV')
    group by measured.period_start, measured.org_unit_uid
),

months as (
    select
        coalesce(care.period_start, tests.period_start) as period_start,
        coalesce(care.org_unit_uid, tests.org_unit_uid) as org_unit_uid,
        coalesce(care.level, tests.level) as level,
        tests.tested,
        tests.positive,
        coalesce(disclosed.is_shown, false) as is_tests_shown,
        tests.living_with_hiv,
        care.enrolled,
        care.on_art_60,
        care.on_art_30,
        care.viral_load_done,
        care.suppressed,
        care.is_shown
    from care
    full join tests on care.period_start = tests.period_start and care.org_unit_uid = tests.org_unit_uid
    left join {{ table_of('int_disclosure', 'intermediate') }} as disclosed
        on disclosed.suppression_group = 'hiv_testing'
        and tests.period_start = disclosed.period_start
        and tests.org_unit_uid = disclosed.org_unit_uid
),

calendar as (
    select
        periods.period_start,
        names.period_type,
        names.period,
        max(periods.period_start) filter (where periods.is_care_built)
            over (partition by names.period_type, names.period) as last_month
    from (
        select *, period_start in (select period_start from care) as is_care_built from {{ ref('dim_period') }}
        where period_start in (select period_start from months)
    ) as periods
    cross join lateral (
        values
        ('month', to_char(periods.period_start, 'YYYY-MM')),
        ('quarter', periods.quarter_id),
        ('year', periods.year::text),
        ('fiscal_year', periods.fiscal_year)
    ) as names (period_type, period)
),

summed as (
    select
        months.level,
        months.org_unit_uid,
        calendar.period_type,
        calendar.period,
        max(calendar.last_month) as in_care_at_end_of,
        case when bool_and(months.is_tests_shown) filter (where months.tested is not null or months.positive is not null)
            then sum(months.tested) end as tested,
        case when bool_and(months.is_tests_shown) filter (where months.tested is not null or months.positive is not null)
            then sum(months.positive) end as positive,
        coalesce(
            bool_or(not months.is_tests_shown) filter (where months.tested is not null or months.positive is not null), false
        ) as is_tests_suppressed,
        coalesce(
            max(months.living_with_hiv) filter (where months.period_start = calendar.last_month),
            (array_agg(months.living_with_hiv order by months.period_start desc)
                filter (where months.living_with_hiv is not null))[1]
        ) as living_with_hiv,
        {%- for name in ['enrolled', 'on_art_60', 'on_art_30', 'viral_load_done', 'suppressed'] %}
        max(months.{{ name }}) filter (where months.period_start = calendar.last_month) as {{ name }},
        {%- endfor %}
        coalesce(bool_or(not months.is_shown) filter (where months.period_start = calendar.last_month), false)
            as is_suppressed
    from months
    inner join calendar on months.period_start = calendar.period_start
    group by months.level, months.org_unit_uid, calendar.period_type, calendar.period
)

select
    summed.level,
    summed.org_unit_uid,
    coalesce(facilities.name, geographies.name) as org_unit_name,
    facilities.fosa_code,
    coalesce(facilities.district_name, geographies.district_name) as district,
    coalesce(facilities.province_name, geographies.province_name) as province,
    summed.period_type,
    summed.period,
    summed.in_care_at_end_of,
    summed.tested,
    summed.positive,
    100.0 * summed.positive / nullif(summed.tested, 0) as positivity,
    summed.is_tests_suppressed,
    summed.living_with_hiv,
    summed.enrolled,
    summed.on_art_30,
    summed.on_art_60,
    summed.viral_load_done,
    summed.suppressed,
    100.0 * summed.enrolled / nullif(summed.living_with_hiv, 0) as enrolled_share,
    (100.0 * summed.on_art_30 / nullif(summed.enrolled, 0))::double precision as on_art_30_share,
    (100.0 * summed.on_art_60 / nullif(summed.enrolled, 0))::double precision as on_art_60_share,
    (100.0 * summed.viral_load_done / nullif(summed.on_art_30, 0))::double precision as viral_load_share,
    (100.0 * summed.suppressed / nullif(summed.viral_load_done, 0))::double precision as suppressed_share,
    summed.is_suppressed,
    summed.in_care_at_end_of is not null as is_care_built
from summed
left join {{ ref('dim_facility') }} as facilities
    on summed.level = 'facility' and summed.org_unit_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('dim_geography') }} as geographies
    on summed.level not in ('facility', 'unmapped') and summed.org_unit_uid = geographies.geography_uid
