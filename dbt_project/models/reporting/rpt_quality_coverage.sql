{{ config(tags=['monthly'], meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}}) }}

-- FASTR module 4: coverage by each chain, and the last survey carried on by the change in coverage since. Counts of sensitive
-- programmes are not told.
with last_surveys as (
    select distinct on (indicator_id) indicator_id, survey as survey_name, year as survey_year, value as survey_value
    from {{ ref('quality_survey') }}
    order by indicator_id, year desc
),

-- The first year from the survey's on that has a coverage: what came after is measured from there.
measured as (
    select
        coverage.*,
        last_surveys.survey_name,
        last_surveys.survey_year,
        last_surveys.survey_value,
        first_value(coverage.coverage) over (
            partition by coverage.org_unit_uid, coverage.indicator_id, coverage.chain
            order by
                (coverage.coverage is not null and coverage.year >= last_surveys.survey_year) desc nulls last,
                coverage.year
        ) as first_coverage
    from {{ ref('fct_quality_coverage') }} as coverage
    left join last_surveys on coverage.indicator_id = last_surveys.indicator_id
),

indicators as materialized (
    {{ quality_indicators() }}
)

select
    measured.indicator_id,
    indicators.name as indicator_name,
    measured.level,
    measured.org_unit_uid,
    geographies.name as org_unit_name,
    geographies.district_name as district,
    geographies.province_name as province,
    measured.year,
    measured.months,
    measured.chain,
    measured.is_best_chain,
    measured.target,
    case when not indicators.is_sensitive then measured.numerator end as numerator,
    measured.denominator,
    case when not indicators.is_sensitive then 100 * measured.coverage end as coverage,
    case when not indicators.is_sensitive then 100 * nullif(measured.numerator, 0) / nullif(measured.denominator_published, 0) end
        as coverage_published,
    measured.survey_name,
    measured.survey_year,
    100 * measured.survey_value as survey_coverage,
    case
        when measured.year >= measured.survey_year and not indicators.is_sensitive
            then 100 * (measured.survey_value + coalesce(measured.coverage - measured.first_coverage, 0))
    end as projected_coverage
from measured
inner join indicators on measured.indicator_id = indicators.indicator_id
left join {{ ref('dim_geography') }} as geographies on measured.org_unit_uid = geographies.geography_uid
