{{ config(tags=['monthly'], meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}}) }}

-- WHO data quality review 3 and 4: what is reported, beside surveys and projections. A row a comparison, place and year.
with yearly as (
    select
        elements.code,
        values_of_year.year,
        closure.ancestor_uid as org_unit_uid,
        closure.ancestor_role as level,
        sum(values_of_year.value_number) as people
    from {{ ref('stg_hmis__yearly_values') }} as values_of_year
    inner join {{ ref('dim_data_element') }} as elements
        on values_of_year.data_element_uid = elements.data_element_uid
    inner join {{ ref('int_org_unit_closure') }} as closure
        on values_of_year.org_unit_uid = closure.descendant_uid
        and closure.is_reporting_level
        and closure.ancestor_role in ('country', 'province', 'district')
    group by elements.code, values_of_year.year, closure.ancestor_uid, closure.ancestor_role
),

volumes as (
    select
        indicator_id,
        org_unit_uid,
        level,
        extract(year from period_start)::integer as year,
        sum(value) as total,
        count(value) as months
    from {{ ref('fct_quality_who') }}
    where level = 'country'
    group by indicator_id, org_unit_uid, level, extract(year from period_start)
),

-- A year that has begun is scaled to a whole one; a stock is the mean of its months.
coverages as (
    select
        volumes.year,
        volumes.org_unit_uid,
        volumes.level,
        volumes.indicator_id,
        volumes.total / nullif(volumes.months, 0) * case when indicators.kind = 'stock' then 1 else 12 end
        / nullif(yearly.people, 0) as coverage
    from volumes
    inner join {{ ref('quality_indicator') }} as indicators on volumes.indicator_id = indicators.indicator_id
    inner join yearly
        on indicators.population_code = yearly.code
        and volumes.year = yearly.year
        and volumes.org_unit_uid = yearly.org_unit_uid
),

compared as (
    select
        'survey' as comparison,
        coverages.indicator_id as measure,
        coverages.level,
        coverages.org_unit_uid,
        coverages.year,
        coverages.coverage as routine_value,
        surveys.value as other_value,
        surveys.survey as other_source,
        surveys.year as other_year,
        {{ quality_setting('quality_consistency') }} as tolerance
    from coverages
    inner join lateral (
        select survey, year, value
        from {{ ref('quality_survey') }} as known
        where known.indicator_id = coverages.indicator_id and known.year <= coverages.year
        order by known.year desc
        limit 1
    ) as surveys on true
    union all
    select
        'projection', 'population', routine.level, routine.org_unit_uid, routine.year, routine.people,
        projected.people, 'district projections in the HMIS', routine.year,
        {{ quality_setting('quality_population') }}
    from yearly as routine
    inner join yearly as projected
        on projected.code = '{{ quality_setting('quality_projection_code') | trim }}'
        and routine.org_unit_uid = projected.org_unit_uid
        and routine.year = projected.year
    where routine.code = '{{ quality_setting('quality_population_code') | trim }}'
    union all
    select
        'projection', wpp.measure, routine.level, routine.org_unit_uid, routine.year, routine.people,
        wpp.people, 'UN World Population Prospects', routine.year, {{ quality_setting('quality_population') }}
    from yearly as routine
    inner join {{ ref('quality_projection') }} as projections on routine.year = projections.year
    cross join lateral (
        values
        ('{{ quality_setting('quality_population_code') | trim }}', 'population', projections.population),
        (
            '{{ quality_setting('quality_births_code') | trim }}',
            'live_births',
            projections.births_per_1000 / 1000 * projections.population
        )
    ) as wpp (code, measure, people)
    where routine.level = 'country' and routine.code = wpp.code
)

select
    compared.comparison,
    compared.measure,
    compared.level,
    compared.org_unit_uid,
    geographies.name as org_unit_name,
    geographies.district_name as district,
    geographies.province_name as province,
    compared.year,
    compared.routine_value,
    compared.other_value,
    compared.other_source,
    compared.other_year,
    compared.routine_value / nullif(compared.other_value, 0) as ratio,
    abs(compared.routine_value / nullif(compared.other_value, 0) - 1) > compared.tolerance as is_inconsistent
from compared
left join {{ ref('dim_geography') }} as geographies on compared.org_unit_uid = geographies.geography_uid
