{{ config(
    tags=['monthly'],
    meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['district_key', 'period_start', 'pair_id'], 'unique': true}]
) }}

-- FASTR module 1, consistency: sums of a district without its outliers, and their ratio.
with sides as (
    {{ quality_sides('FASTR') }}
),

-- A sum without a term stays unknown; the published code makes it 0, and so a pair that fails.
totals as (
    select
        months.period_start,
        coalesce(units.district_uid, 'unmapped') as district_key,
        months.indicator_id,
        sum(months.value) filter (where not months.is_outlier) as total,
        coalesce(sum(months.value) filter (where not months.is_outlier_published), 0) as total_published
    from {{ ref('fct_quality_month') }} as months
    left join {{ ref('int_org_unit') }} as units on months.org_unit_uid = units.org_unit_uid
    where months.completeness_flag in (0, 1)
        and months.indicator_id in (select sides.indicator_id from sides)
    group by months.period_start, coalesce(units.district_uid, 'unmapped'), months.indicator_id
),

compared as (
    select
        totals.period_start,
        totals.district_key,
        sides.pair_id,
        sum(totals.total) filter (where sides.side = 'a') as a_value,
        sum(totals.total) filter (where sides.side = 'b') as b_value,
        sum(totals.total_published) filter (where sides.side = 'a') as a_published,
        sum(totals.total_published) filter (where sides.side = 'b') as b_published
    from totals
    inner join sides on totals.indicator_id = sides.indicator_id
    group by totals.period_start, totals.district_key, sides.pair_id
),

ratios as (
    select
        *,
        a_value / nullif(greatest(b_value, 0), 0) as ratio,
        a_published / nullif(greatest(b_published, 0), 0) as ratio_published
    from compared
)

select
    ratios.period_start,
    ratios.district_key,
    ratios.pair_id,
    ratios.a_value,
    ratios.b_value,
    ratios.ratio,
    ratios.ratio >= coalesce(pairs.lower, '-infinity') and ratios.ratio <= coalesce(pairs.upper, 'infinity') as is_consistent,
    ratios.ratio_published,
    ratios.ratio_published >= coalesce(pairs.lower, '-infinity')
    and ratios.ratio_published <= coalesce(pairs.upper, 'infinity') as is_consistent_published
from ratios
inner join {{ ref('quality_pair') }} as pairs on ratios.pair_id = pairs.pair_id
