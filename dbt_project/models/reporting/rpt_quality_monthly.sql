{{ config(tags=['monthly'], meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}}) }}

-- FASTR modules 1 and 2, summed to each level. A unit that is not in the registry is kept, as unmapped. Counts of sensitive
-- programmes are not told.
with rolled as (
    select
        adjusted.period_start,
        adjusted.indicator_id,
        coalesce(closure.ancestor_uid, adjusted.org_unit_uid) as org_unit_uid,
        coalesce(closure.ancestor_role, 'unmapped') as level,
        count(*) as expected_values,
        count(*) filter (where adjusted.completeness_flag = 1) as reported_values,
        count(*) filter (where adjusted.is_outlier) as outliers,
        sum(adjusted.value_none) as value_none,
        sum(adjusted.value_outliers) as value_outliers,
        sum(adjusted.value_completeness) as value_completeness,
        sum(adjusted.value_both) as value_both
    from {{ ref('fct_quality_adjusted') }} as adjusted
    left join {{ ref('int_org_unit_closure') }} as closure
        on adjusted.org_unit_uid = closure.descendant_uid and closure.is_reporting_level
    group by
        adjusted.period_start, adjusted.indicator_id, coalesce(closure.ancestor_uid, adjusted.org_unit_uid),
        coalesce(closure.ancestor_role, 'unmapped')
),

indicators as materialized (
    {{ quality_indicators() }}
)

select
    rolled.indicator_id,
    indicators.name as indicator_name,
    rolled.level,
    rolled.org_unit_uid,
    coalesce(facilities.name, geographies.name) as org_unit_name,
    facilities.fosa_code,
    coalesce(facilities.district_name, geographies.district_name) as district,
    coalesce(facilities.province_name, geographies.province_name) as province,
    rolled.period_start as month,
    rolled.expected_values,
    rolled.reported_values,
    rolled.outliers,
    100.0::double precision * rolled.reported_values / rolled.expected_values as completeness,
    100.0::double precision * rolled.outliers / nullif(rolled.reported_values, 0) as outlier_rate,
    case when not indicators.is_sensitive then rolled.value_none end as value_none,
    case when not indicators.is_sensitive then rolled.value_outliers end as value_outliers,
    case when not indicators.is_sensitive then rolled.value_completeness end as value_completeness,
    case when not indicators.is_sensitive then rolled.value_both end as value_both
from rolled
inner join indicators on rolled.indicator_id = indicators.indicator_id
left join {{ ref('dim_facility') }} as facilities
    on rolled.level = 'facility' and rolled.org_unit_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('dim_geography') }} as geographies
    on rolled.level <> 'facility' and rolled.org_unit_uid = geographies.geography_uid
