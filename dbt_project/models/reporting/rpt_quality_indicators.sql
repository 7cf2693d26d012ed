{{ config(tags=['monthly'], meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}}) }}

-- WHO data quality review 1 and 2a to 2d: an indicator's values of a unit and year.
with months as (
    select
        *,
        extract(year from period_start)::integer as year,
        -- The same month of the three years before. Where all have all twelve, the ratio of the sums of a year is that of
        -- the WHO; a year that has begun is compared with as much of the others.
        avg(value) over (
            partition by org_unit_uid, indicator_id, extract(month from period_start)
            order by extract(year from period_start)::integer
            range between 3 preceding and 1 preceding
        ) as value_before
    from {{ ref('fct_quality_who') }}
),

years as (
    select
        org_unit_uid,
        level,
        indicator_id,
        year,
        count(value) as months,
        sum(value) as total,
        sum(expected_values) as expected_values,
        sum(reported_values) as reported_values,
        count(*) filter (where is_extreme) as extreme_outliers,
        count(*) filter (where is_moderate) as moderate_outliers,
        count(*) filter (where is_modified_outlier) as modified_outliers,
        sum(value) filter (where value_before is not null) / nullif(sum(value_before) filter (where value is not null), 0)
            as consistency
    from months
    group by org_unit_uid, level, indicator_id, year
),

-- Counts of sensitive programmes are not told, nor their ratios.
indicators as materialized (
    {{ quality_indicators() }}
)

select
    years.indicator_id,
    indicators.name as indicator_name,
    years.level,
    years.org_unit_uid,
    coalesce(facilities.name, geographies.name) as org_unit_name,
    facilities.fosa_code,
    coalesce(facilities.district_name, geographies.district_name) as district,
    coalesce(facilities.province_name, geographies.province_name) as province,
    years.year,
    years.months::integer as months,
    case
        when indicators.is_sensitive then null
        when indicators.kind = 'stock' then years.total / nullif(years.months, 0)
        else years.total
    end as value,
    years.expected_values::bigint as expected_values,
    years.reported_values::bigint as reported_values,
    100.0::double precision * years.reported_values / nullif(years.expected_values, 0) as completeness,
    100.0::double precision * years.reported_values / nullif(years.expected_values, 0)
    < {{ quality_setting('quality_missing') }} as is_incomplete,
    years.extreme_outliers::integer as extreme_outliers,
    years.moderate_outliers::integer as moderate_outliers,
    years.modified_outliers::integer as modified_outliers,
    100.0::double precision * years.extreme_outliers / nullif(years.months, 0) as extreme_score,
    100.0::double precision * years.moderate_outliers / nullif(years.months, 0) as moderate_score,
    100.0::double precision * years.modified_outliers / nullif(years.months, 0) as modified_score,
    years.extreme_outliers >= 1 as is_divergent_extreme,
    years.moderate_outliers >= 2 as is_divergent_moderate,
    years.modified_outliers >= 2 as is_divergent_modified,
    case when not indicators.is_sensitive then 100 * years.consistency end as consistency,
    abs(years.consistency - 1) > {{ quality_setting('quality_consistency') }} as is_inconsistent
from years
inner join indicators on years.indicator_id = indicators.indicator_id
left join {{ ref('dim_facility') }} as facilities
    on years.level = 'facility' and years.org_unit_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('dim_geography') }} as geographies
    on years.level <> 'facility' and years.org_unit_uid = geographies.geography_uid
