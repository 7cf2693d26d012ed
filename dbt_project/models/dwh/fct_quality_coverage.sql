{{ config(
    tags=['monthly'],
    meta={'dagster': {'group': 'data_quality', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['org_unit_uid', 'indicator_id', 'chain', 'year'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- FASTR module 4: how many people there were to reach, told by the services that reach nearly all of them (a "chain").
with parameters as (
    select
        {%- for name in ['pregnancy_loss', 'twin', 'stillbirth', 'nmr', 'pnmr', 'imr', 'u5mr'] %}
        max(value) filter (where parameter = '{{ name }}') as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('quality_parameter') }}
),

monthly as (
    select period_start, org_unit_uid, indicator_id, value_both from {{ ref('fct_quality_adjusted') }}
),

-- A facility's year first: the rows of all its months, once for each place it is in, would have to be sorted. The months
-- of a year with a count are the bits of a number, so that they can be put together over facilities.
unit_volumes as (
    select
        extract(year from period_start)::integer as year,
        org_unit_uid,
        indicator_id,
        sum(value_both) as volume,
        bit_or(case when value_both is not null then 1 << extract(month from period_start)::integer else 0 end) as months
    from monthly
    group by extract(year from period_start), org_unit_uid, indicator_id
),

volumes as (
    select
        unit_volumes.year,
        closure.ancestor_uid as org_unit_uid,
        closure.ancestor_role as level,
        unit_volumes.indicator_id,
        sum(unit_volumes.volume) as volume,
        bit_count(bit_or(unit_volumes.months)::bit(16)) as months
    from unit_volumes
    inner join {{ ref('int_org_unit_closure') }} as closure
        on unit_volumes.org_unit_uid = closure.descendant_uid
        and closure.is_reporting_level
        and closure.ancestor_role in ('country', 'province', 'district')
    group by unit_volumes.year, closure.ancestor_uid, closure.ancestor_role, unit_volumes.indicator_id
),

-- The last survey, carried forward.
surveyed as (
    select volumes.year, volumes.org_unit_uid, volumes.level, volumes.indicator_id, volumes.volume, last_survey.value as survey
    from volumes
    left join lateral (
        select surveys.value
        from {{ ref('quality_survey') }} as surveys
        where surveys.indicator_id = volumes.indicator_id and surveys.year <= volumes.year
        order by surveys.year desc
        limit 1
    ) as last_survey on true
),

reached as (
    select
        year,
        org_unit_uid,
        level,
        {%- for chain in ['anc1', 'delivery', 'livebirth', 'penta1', 'bcg'] %}
        max(volume / survey) filter (where indicator_id = '{{ chain }}') as {{ chain }}{{ ',' if not loop.last }}
        {%- endfor %}
    from surveyed
    group by year, org_unit_uid, level
),

-- Months of the year that anything was reported in: the projection is of a whole year.
unit_years as (
    select year, org_unit_uid, max(months)::double precision / 12 as share_of_year
    from volumes
    group by year, org_unit_uid
),

live_births as (
    select
        reached.year,
        reached.org_unit_uid,
        reached.level,
        chains.chain,
        chains.live_births,
        chains.under_1
    from reached
    cross join parameters
    inner join unit_years on reached.year = unit_years.year and reached.org_unit_uid = unit_years.org_unit_uid
    left join {{ ref('quality_projection') }} as projections
        on reached.level = 'country' and reached.year = projections.year
    cross join lateral (
        values
        (
            'anc1',
            reached.anc1 * (1 - parameters.pregnancy_loss) / (1 - parameters.twin / 2) * (1 - parameters.stillbirth),
            null
        ),
        ('delivery', reached.delivery, null),
        ('livebirth', reached.livebirth, null),
        ('penta1', reached.penta1 / (1 - parameters.nmr), null),
        ('bcg', case when reached.level = 'country' then reached.bcg end, null),
        (
            'wpp',
            projections.births_per_1000 / 1000 * projections.population * unit_years.share_of_year,
            projections.under_1 * unit_years.share_of_year
        )
    ) as chains (chain, live_births, under_1)
    where chains.live_births is not null
),

-- The chains differ in where they start. From live births on they are one, here: in the published code bcg and wpp count
-- pregnancies in ways of their own, and wpp divides rates by 100 that are no percentages.
targets as (
    select
        live_births.year,
        live_births.org_unit_uid,
        live_births.level,
        live_births.chain,
        target.target,
        target.people,
        case
            when live_births.chain = 'bcg' and target.target = 'pregnancy'
                then live_births.live_births
                    / (1 - parameters.pregnancy_loss) / (1 + parameters.twin) / (1 - parameters.stillbirth)
            when live_births.chain = 'wpp' and target.target = 'pregnancy'
                then live_births.live_births / (1 + parameters.twin)
            when live_births.chain = 'wpp' and target.target = 'measles1'
                then live_births.under_1 * (1 - parameters.nmr / 100)
            when live_births.chain = 'wpp' and target.target = 'measles2'
                then live_births.under_1 * (1 - parameters.nmr / 100) * (1 - 2 * parameters.pnmr / 100)
            else target.people
        end as people_published
    from live_births
    cross join parameters
    cross join lateral (
        select coalesce(live_births.under_1, live_births.live_births * (1 - parameters.nmr)) as infants
    ) as survivors
    cross join lateral (
        values
        (
            'pregnancy',
            live_births.live_births / (1 - parameters.stillbirth) * (1 - parameters.twin / 2)
            / (1 - parameters.pregnancy_loss)
        ),
        ('livebirth', live_births.live_births),
        ('dpt', survivors.infants),
        ('measles1', survivors.infants * (1 - parameters.pnmr)),
        ('measles2', survivors.infants * (1 - 2 * parameters.pnmr)),
        ('vitaminA', live_births.live_births * (1 - parameters.u5mr) * 4.5),
        ('fully_immunized', live_births.live_births * (1 - parameters.imr))
    ) as target (target, people)
),

-- The best chain is the one that is nearest to the projection, over the years; without a projection, deliveries.
distances as (
    select
        chained.chain,
        abs(percentile_cont(0.5) within group (order by chained.people / nullif(projected.people, 0)) - 1) as distance
    from targets as chained
    inner join targets as projected
        on chained.year = projected.year
        and chained.org_unit_uid = projected.org_unit_uid
        and chained.target = projected.target
        and projected.chain = 'wpp'
    where chained.chain in ('anc1', 'delivery', 'penta1') and chained.target in ('pregnancy', 'livebirth', 'dpt')
    group by chained.chain
),

best as (
    select coalesce((select chain from distances where distance is not null order by distance, chain limit 1), 'delivery') as chain
)

select
    surveyed.year,
    surveyed.org_unit_uid,
    surveyed.level,
    targets.chain,
    surveyed.indicator_id,
    targets.target,
    volumes.months::integer as months,
    surveyed.volume as numerator,
    targets.people as denominator,
    targets.people_published as denominator_published,
    nullif(surveyed.volume, 0) / nullif(targets.people, 0) as coverage,
    surveyed.survey,
    targets.chain = best.chain as is_best_chain
from surveyed
inner join volumes
    on surveyed.year = volumes.year
    and surveyed.org_unit_uid = volumes.org_unit_uid
    and surveyed.indicator_id = volumes.indicator_id
inner join {{ ref('quality_indicator') }} as indicators on surveyed.indicator_id = indicators.indicator_id
inner join targets
    on surveyed.year = targets.year
    and surveyed.org_unit_uid = targets.org_unit_uid
    and indicators.target = targets.target
cross join best
