{{ config(tags=['reference'], meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}}) }}

-- FASTR module 3. Counts of sensitive programmes are not told. greatest() would make 0 of what is not known.
with measured as (
    select
        *,
        expected - actual as difference,
        100 * (expected - actual) / nullif(expected, 0) as difference_percent
    from {{ ref('stg_quality__disruptions') }}
),

indicators as materialized (
    {{ quality_indicators() }}
)

select
    measured.indicator_id,
    indicators.name as indicator_name,
    indicators.kind,
    measured.level,
    measured.org_unit_uid,
    geographies.name as org_unit_name,
    geographies.district_name as district,
    geographies.province_name as province,
    measured.period_start as month,
    measured.why_unknown is null as is_judged,
    measured.why_unknown,
    case when not indicators.is_sensitive then measured.actual end as actual,
    case when not indicators.is_sensitive then measured.reported end as reported,
    case when not indicators.is_sensitive then measured.expected end as expected,
    case when not indicators.is_sensitive then measured.expected_published end as expected_published,
    case when not indicators.is_sensitive and measured.difference is not null then greatest(measured.difference, 0) end as shortfall,
    case when measured.difference_percent is not null then greatest(measured.difference_percent, 0) end as shortfall_percent,
    case when not indicators.is_sensitive and measured.difference is not null then greatest(-measured.difference, 0) end as surplus,
    case when measured.difference_percent is not null then greatest(-measured.difference_percent, 0) end as surplus_percent,
    case when measured.actual is not null then measured.is_disrupted end as is_disrupted,
    measured.is_tagged,
    measured.is_tagged_published,
    array_remove(
        array[
            case when measured.is_sharp then 'sharp' end,
            case when measured.is_sustained then 'sustained' end,
            case when measured.is_dip then 'dip' end,
            case when measured.is_rise then 'rise' end,
            case when measured.is_missing then 'missing' end
        ],
        null
    ) as tags,
    measured.control,
    100 * measured.effect as effect_percent,
    measured.p_value
from measured
inner join indicators on measured.indicator_id = indicators.indicator_id
left join {{ ref('dim_geography') }} as geographies on measured.org_unit_uid = geographies.geography_uid
