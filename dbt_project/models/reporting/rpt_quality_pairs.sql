{{ config(tags=['monthly'], meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}}) }}

-- WHO data quality review 2e: whether indicators that belong together agree, in a unit and year.
with sides as (
    {{ quality_sides('WHO') }}
),

totals as (
    select
        months.org_unit_uid,
        months.level,
        extract(year from months.period_start)::integer as year,
        sides.pair_id,
        sum(months.value) filter (where sides.side = 'a') as a_value,
        sum(months.value) filter (where sides.side = 'b') as b_value
    from {{ ref('fct_quality_who') }} as months
    inner join sides on months.indicator_id = sides.indicator_id
    group by months.org_unit_uid, months.level, extract(year from months.period_start), sides.pair_id
),

ratios as (
    select *, a_value / nullif(b_value, 0) as ratio from totals
),

-- A unit is held to the next level above it that figures are rolled up to.
parents as (
    select distinct on (descendant_uid) descendant_uid as org_unit_uid, ancestor_uid as parent_uid
    from {{ ref('int_org_unit_closure') }}
    where is_reporting_level and ancestor_uid <> descendant_uid
    order by descendant_uid, ancestor_level desc
)

select
    pairs.pair_id,
    pairs.name as pair_name,
    pairs.method,
    ratios.level,
    ratios.org_unit_uid,
    coalesce(facilities.name, geographies.name) as org_unit_name,
    facilities.fosa_code,
    coalesce(facilities.district_name, geographies.district_name) as district,
    coalesce(facilities.province_name, geographies.province_name) as province,
    ratios.year,
    ratios.a_value,
    ratios.b_value,
    ratios.ratio,
    case when pairs.method = 'dropout' then 100 * (ratios.a_value - ratios.b_value) / nullif(ratios.a_value, 0) end
        as dropout,
    compared.ratio as parent_ratio,
    case pairs.method
        when 'level'
            then ratios.ratio >= pairs.lower * compared.ratio and ratios.ratio <= pairs.upper * compared.ratio
        when 'dropout' then ratios.a_value - ratios.b_value >= 0
        else ratios.ratio >= coalesce(pairs.lower, '-infinity') and ratios.ratio <= coalesce(pairs.upper, 'infinity')
    end as is_consistent
from ratios
inner join {{ ref('quality_pair') }} as pairs on ratios.pair_id = pairs.pair_id
left join parents on ratios.org_unit_uid = parents.org_unit_uid
left join ratios as compared
    on parents.parent_uid = compared.org_unit_uid
    and ratios.pair_id = compared.pair_id
    and ratios.year = compared.year
left join {{ ref('dim_facility') }} as facilities
    on ratios.level = 'facility' and ratios.org_unit_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('dim_geography') }} as geographies
    on ratios.level <> 'facility' and ratios.org_unit_uid = geographies.geography_uid
