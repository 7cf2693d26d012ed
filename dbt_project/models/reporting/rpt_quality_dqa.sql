{{ config(tags=['monthly'], meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}}) }}

-- FASTR module 1, the DQA score of a facility and month.
with configured as (
    select count(*) as indicators from {{ ref('quality_indicator') }} where in_dqa
),

-- A value that is missing passes neither test: there is nothing that could be free of outliers.
facility_months as (
    select
        months.period_start,
        months.org_unit_uid,
        count(*) as indicators,
        count(*) filter (where months.completeness_flag = 1) as complete,
        count(*) filter (where not months.is_outlier) as without_outlier,
        count(*) filter (where not months.is_outlier_published) as without_outlier_published
    from {{ ref('fct_quality_month') }} as months
    inner join {{ ref('quality_indicator') }} as indicators
        on months.indicator_id = indicators.indicator_id and indicators.in_dqa
    where months.completeness_flag in (0, 1)
    group by months.period_start, months.org_unit_uid
),

pairs as (
    select
        consistency.period_start,
        consistency.district_key,
        count(consistency.is_consistent) as available,
        count(*) filter (where consistency.is_consistent) as passed,
        count(consistency.is_consistent_published) as available_published,
        count(*) filter (where consistency.is_consistent_published) as passed_published
    from {{ ref('fct_quality_consistency') }} as consistency
    inner join {{ ref('quality_pair') }} as rules on consistency.pair_id = rules.pair_id and rules.in_dqa
    group by consistency.period_start, consistency.district_key
),

scored as (
    select
        facility_months.*,
        units.name as org_unit_name,
        coalesce(units.district_uid, 'unmapped') as district_key,
        coalesce(pairs.available, 0) as pairs_available,
        coalesce(pairs.passed, 0) as pairs_passed,
        coalesce(pairs.available_published, 0) as pairs_available_published,
        coalesce(pairs.passed_published, 0) as pairs_passed_published,
        (facility_months.complete + facility_months.without_outlier)
        / (2.0::double precision * facility_months.indicators) as completeness_outlier_score,
        pairs.passed::double precision / nullif(pairs.available, 0) as consistency_score,
        (facility_months.complete + facility_months.without_outlier_published)
        / (2.0::double precision * configured.indicators) as completeness_outlier_score_published,
        coalesce(pairs.passed_published::double precision / nullif(pairs.available_published, 0), 0)
            as consistency_score_published
    from facility_months
    cross join configured
    left join {{ ref('int_org_unit') }} as units on facility_months.org_unit_uid = units.org_unit_uid
    left join pairs
        on facility_months.period_start = pairs.period_start
        and coalesce(units.district_uid, 'unmapped') = pairs.district_key
)

select
    scored.org_unit_uid,
    coalesce(facilities.name, scored.org_unit_name) as org_unit_name,
    facilities.fosa_code,
    facilities.district_name as district,
    facilities.province_name as province,
    scored.period_start as month,
    scored.indicators,
    scored.complete,
    scored.without_outlier,
    scored.pairs_available,
    scored.pairs_passed,
    scored.completeness_outlier_score,
    scored.consistency_score,
    case
        when scored.consistency_score is null then scored.completeness_outlier_score
        else (scored.completeness_outlier_score + scored.consistency_score) / 2
    end as dqa_mean,
    case
        when scored.complete = scored.indicators
            and scored.without_outlier = scored.indicators
            and scored.pairs_passed = scored.pairs_available
            then 1
        else 0
    end as dqa_score,
    (scored.completeness_outlier_score_published + scored.consistency_score_published) / 2 as dqa_mean_published,
    case
        when scored.completeness_outlier_score_published = 1
            and scored.pairs_passed_published = scored.pairs_available_published
            then 1
        else 0
    end as dqa_score_published
from scored
left join {{ ref('dim_facility') }} as facilities
    on scored.org_unit_uid = facilities.facility_uid and facilities.is_current
