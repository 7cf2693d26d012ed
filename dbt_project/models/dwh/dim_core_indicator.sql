{{ config(
    tags=['reference'],
    meta={'dagster': {'group': 'indicators', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['indicator_code'], 'unique': true}]
) }}

with terms as (
    select
        terms.indicator_code,
        terms.side,
        terms.measure_code,
        terms.weight,
        measures.kind,
        measures.share_of is not null as has_stand_in,
        -- Of a longer period the last month counts: what is there at a time, and populations beside it.
        terms.times is null
        and (measures.kind = 'stock' or (measures.kind = 'population' and not indicators.is_annualised)) as takes_last
    from {{ ref('indicator_measure') }} as terms
    inner join {{ ref('measure') }} as measures on terms.measure_code = measures.measure_code
    inner join {{ ref('indicator_catalogue') }} as indicators on terms.indicator_code = indicators.indicator_code
),

sides as (
    select
        indicator_code,
        {%- for side in ['numerator', 'denominator'] %}
        bool_and(takes_last) filter (where side = '{{ side }}') as {{ side }}_takes_last,
        bool_or(kind = 'population') filter (where side = '{{ side }}') as {{ side }}_has_population,
        case when bool_or(weight < 0) filter (where side = '{{ side }}') then count(*) filter (where side = '{{ side }}') end
            as {{ side }}_needs_terms{{ "," if not loop.last }}
        {%- endfor %}
    from terms
    group by indicator_code
),

-- What the seed names and the server has not. A measure without any item has no values, unless another stands in for it.
sources as (
    select
        sources.measure_code,
        count(items.measure_code) as items,
        string_agg(distinct sources.data_element_code, ', ') filter (where items.measure_code is null) as missing
    from {{ ref('measure_source') }} as sources
    left join {{ ref('int_measure_item') }} as items
        on sources.measure_code = items.measure_code
        and sources.data_element_code = items.data_element_code
        and sources.option_codes is not distinct from items.option_codes
    group by sources.measure_code
),

found as (
    select
        terms.indicator_code,
        bool_or(sources.items = 0 and not terms.has_stand_in) as lacks_measure,
        string_agg(distinct sources.missing, ', ') as missing_codes
    from terms
    inner join sources on terms.measure_code = sources.measure_code
    group by terms.indicator_code
)

select
    indicators.indicator_code,
    indicators.core_number,
    indicators.name,
    indicators.domain,
    indicators.numerator,
    indicators.denominator,
    indicators.factor,
    indicators.is_annualised,
    indicators.result_kind,
    indicators.periodicity,
    indicators.lowest_level,
    indicators.source_of_truth,
    indicators.reference,
    indicators.is_sensitive,
    indicators.suppression_group,
    indicators.value_floor,
    indicators.no_value_reason is null and not coalesce(found.lacks_measure, false) as is_evaluated,
    coalesce(
        indicators.no_value_reason,
        case when found.lacks_measure then 'the HMIS has no data element ' || found.missing_codes end
    ) as no_value_reason,
    found.missing_codes,
    sides.numerator_takes_last,
    sides.denominator_takes_last,
    sides.numerator_has_population,
    sides.denominator_has_population,
    sides.numerator_needs_terms::integer as numerator_needs_terms,
    sides.denominator_needs_terms::integer as denominator_needs_terms
from {{ ref('indicator_catalogue') }} as indicators
left join sides on indicators.indicator_code = sides.indicator_code
left join found on indicators.indicator_code = found.indicator_code
