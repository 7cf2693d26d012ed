{{ config(
    tags=['reference'],
    meta={'dagster': {'group': 'indicators', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['indicator_uid'], 'unique': true}]
) }}

with compiled as (
    select
        indicator_uid,
        count(distinct side) filter (where sql is not null) = 2 as is_compiled,
        string_agg(side || ': ' || refused_reason, '; ' order by side desc) as refused_reason
    from {{ ref('stg_ops__indicator_sql') }}
    where side in ('numerator', 'denominator')
    group by indicator_uid
)

select
    indicators.indicator_uid,
    indicators.code,
    indicators.name,
    indicators.short_name,
    indicators.description,
    indicators.indicator_type,
    coalesce(indicators.factor, 1) as factor,
    indicators.is_annualized,
    indicators.decimals,
    indicators.numerator_expression,
    indicators.numerator_description,
    indicators.denominator_expression,
    indicators.denominator_description,
    coalesce(compiled.is_compiled, false) as is_compiled,
    case
        when not coalesce(compiled.is_compiled, false)
            then coalesce(compiled.refused_reason, 'not seen by the compiler')
    end as refused_reason
from {{ ref('stg_hmis__indicators') }} as indicators
left join compiled on indicators.indicator_uid = compiled.indicator_uid
