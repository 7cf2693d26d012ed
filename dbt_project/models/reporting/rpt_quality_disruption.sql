{{ config(tags=['reference'], meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}}) }}

-- FASTR module 3. Of sensitive programmes no number is told: of a series whose shares of the expected are known for every month the
-- counts follow, since what is expected is fitted to them. greatest() would make 0 of what is not known.
with indicators as materialized (
    {{ quality_indicators() }}
),

measured as (
    select
        disruptions.indicator_id,
        indicators.name as indicator_name,
        indicators.kind,
        disruptions.level,
        disruptions.org_unit_uid,
        disruptions.period_start,
        disruptions.why_unknown,
        case when disruptions.actual is not null then disruptions.is_disrupted end as is_disrupted,
        disruptions.is_tagged,
        disruptions.is_tagged_published,
        disruptions.is_sharp,
        disruptions.is_sustained,
        disruptions.is_dip,
        disruptions.is_rise,
        disruptions.is_missing,
        {%- for number in ['actual', 'reported', 'expected', 'expected_published', 'control', 'effect', 'p_value'] %}
        case when not indicators.is_sensitive then disruptions.{{ number }} end as {{ number }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('stg_quality__disruptions') }} as disruptions
    inner join indicators on disruptions.indicator_id = indicators.indicator_id
),

compared as (
    select
        *,
        expected - actual as difference,
        100 * (expected - actual) / nullif(expected, 0) as difference_percent
    from measured
)

select
    compared.indicator_id,
    compared.indicator_name,
    compared.kind,
    compared.level,
    compared.org_unit_uid,
    geographies.name as org_unit_name,
    geographies.district_name as district,
    geographies.province_name as province,
    compared.period_start as month,
    compared.why_unknown is null as is_judged,
    compared.why_unknown,
    compared.actual,
    compared.reported,
    compared.expected,
    compared.expected_published,
    case when compared.difference is not null then greatest(compared.difference, 0) end as shortfall,
    case when compared.difference_percent is not null then greatest(compared.difference_percent, 0) end as shortfall_percent,
    case when compared.difference is not null then greatest(-compared.difference, 0) end as surplus,
    case when compared.difference_percent is not null then greatest(-compared.difference_percent, 0) end as surplus_percent,
    compared.is_disrupted,
    compared.is_tagged,
    compared.is_tagged_published,
    array_remove(
        array[
            case when compared.is_sharp then 'sharp' end,
            case when compared.is_sustained then 'sustained' end,
            case when compared.is_dip then 'dip' end,
            case when compared.is_rise then 'rise' end,
            case when compared.is_missing then 'missing' end
        ],
        null
    ) as tags,
    compared.control,
    100 * compared.effect as effect_percent,
    compared.p_value
from compared
left join {{ ref('dim_geography') }} as geographies on compared.org_unit_uid = geographies.geography_uid
