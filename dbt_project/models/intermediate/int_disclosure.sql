{{ config(
    materialized='incremental',
    incremental_strategy='microbatch',
    event_time='period_start',
    batch_size='year',
    begin='2020-01-01',
    lookback=0,
    on_schema_change='append_new_columns',
    tags=['monthly'],
    meta={'dagster': {'group': 'indicators', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['suppression_group', 'org_unit_uid', 'period_start'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- Which places of sensitive indicators may be shown (docs/indicators.md has the rule, and why it suffices). Time is cut
-- into atoms, months or quarters, and never finer; of an atom the places below a place are shown all or not at all.
-- Quarters straddle no year: hence a batch a year. dbt puts the batch's window around a ref with an event_time.
with facts as (
    select * from {{ ref('fct_core_indicator') }}
),

measured as (
    select * from {{ ref('fct_measure_month') }}
),

sensitive as (
    select
        *,
        case when periodicity = 'monthly' then 'month' else 'quarter' end as atom
    from {{ ref('dim_core_indicator') }}
    where is_sensitive and is_evaluated
),

monthly as (
    select
        sensitive.suppression_group,
        sensitive.atom,
        facts.indicator_code,
        facts.level,
        facts.org_unit_uid,
        facts.period_start,
        series.name as series,
        series.takes_last,
        series.value
    from facts
    inner join sensitive on facts.indicator_code = sensitive.indicator_code
    cross join lateral (
        values
        -- Places without any number are places too.
        ('place', false, 0),
        (
            'numerator',
            sensitive.numerator_takes_last,
            case when not sensitive.numerator_has_population then facts.numerator end
        ),
        (
            'denominator',
            sensitive.denominator_takes_last,
            case when not sensitive.denominator_has_population then facts.denominator end
        ),
        -- Those of the denominator who are not in the numerator are a cell as well: total less part.
        (
            'rest',
            sensitive.denominator_takes_last,
            case
                when not sensitive.numerator_has_population
                    and not sensitive.denominator_has_population
                    and sensitive.numerator_takes_last = sensitive.denominator_takes_last
                    then coalesce(facts.denominator, 0) - coalesce(facts.numerator, 0)
            end
        )
    ) as series (name, takes_last, value)
),

shown_levels as (
    select distinct suppression_group, level from monthly
),

terms as (
    select distinct sensitive.suppression_group, sensitive.atom, measures.measure_code, measures.kind
    from sensitive
    inner join {{ ref('indicator_measure') }} as terms on sensitive.indicator_code = terms.indicator_code
    inner join {{ ref('measure') }} as measures
        on terms.measure_code = measures.measure_code and measures.kind <> 'population'
),

every as (
    select
        suppression_group,
        atom,
        date_trunc(atom, period_start)::date as atom_start,
        org_unit_uid,
        indicator_code || ' ' || series as series,
        period_start,
        takes_last,
        value
    from monthly
    where value is not null
    union all
    -- Each measure by itself, since others of the group may show it.
    select
        terms.suppression_group,
        terms.atom,
        date_trunc(terms.atom, measured.period_start)::date as atom_start,
        measured.org_unit_uid,
        'measure ' || terms.measure_code as series,
        measured.period_start,
        terms.kind = 'stock' as takes_last,
        measured.value
    from measured
    inner join terms on measured.measure_code = terms.measure_code
    inner join shown_levels
        on terms.suppression_group = shown_levels.suppression_group and measured.level = shown_levels.level
),

-- The last month that is loaded, as the report has it.
last_months as (
    select atoms.atom, date_trunc(atoms.atom, facts.period_start)::date as atom_start, max(facts.period_start) as last_month
    from facts
    cross join (values ('month'), ('quarter')) as atoms (atom)
    where facts.level = 'country'
    group by 1, 2
),

cells as (
    select
        every.suppression_group,
        every.atom_start,
        every.org_unit_uid,
        every.series,
        coalesce(
            sum(every.value) filter (where not every.takes_last or every.period_start = last_months.last_month), 0
        ) as value
    from every
    left join last_months on every.atom = last_months.atom and every.atom_start = last_months.atom_start
    group by every.suppression_group, every.atom_start, every.org_unit_uid, every.series
),

decided as (
    with {{ shown_places('cells') }}
),

-- A group whose denominator another group counts stands on that one, whose numbers are shown for themselves: rather the part
-- than the total is kept back. What follows finds where totals of places would give away small parts of a part that is shown above.
standing as (
    select distinct sensitive.suppression_group, bases.suppression_group as base_group
    from sensitive
    inner join {{ ref('indicator_measure') }} as terms
        on sensitive.indicator_code = terms.indicator_code and terms.side = 'denominator'
    inner join {{ ref('measure') }} as measures on terms.measure_code = measures.measure_code and measures.kind <> 'population'
    inner join {{ ref('indicator_measure') }} as same on terms.measure_code = same.measure_code
    inner join sensitive as bases
        on same.indicator_code = bases.indicator_code and sensitive.suppression_group <> bases.suppression_group
),

sides as (
    select
        suppression_group,
        atom_start,
        org_unit_uid,
        coalesce(sum(value) filter (where series like '% numerator'), 0) as numerator,
        coalesce(sum(value) filter (where series like '% denominator'), 0) as denominator
    from cells
    where suppression_group in (select suppression_group from standing)
    group by suppression_group, atom_start, org_unit_uid
),

places as (
    select
        standing.suppression_group,
        standing.base_group,
        base.period_start,
        base.org_unit_uid,
        base.is_shown as is_total_shown,
        coalesce(part.is_shown, false) as is_part_shown,
        coalesce(sides.denominator, 0) as total,
        series.name as series,
        series.value,
        coalesce(sides.denominator, 0) - series.value as other_value
    from standing
    inner join decided as base on standing.base_group = base.suppression_group
    left join decided as part
        on standing.suppression_group = part.suppression_group
        and base.org_unit_uid = part.org_unit_uid
        and base.period_start = part.period_start
    left join sides
        on standing.suppression_group = sides.suppression_group
        and base.org_unit_uid = sides.org_unit_uid
        and base.period_start = sides.atom_start
    cross join lateral (
        values
        ('part', coalesce(sides.numerator, 0)),
        ('rest', coalesce(sides.denominator, 0) - coalesce(sides.numerator, 0))
    ) as series (name, value)
),

above as (
    select descendant_uid, ancestor_uid, ancestor_level
    from {{ ref('int_org_unit_closure') }}
    where is_reporting_level and ancestor_uid <> descendant_uid
),

-- Places with a total and no part, and the nearest place above that has both.
totals as (
    select distinct on (lower.suppression_group, lower.period_start, lower.series, lower.org_unit_uid)
        lower.*,
        whole.org_unit_uid as whole_uid,
        whole.total as whole_total,
        whole.value as whole_value
    from places as lower
    inner join above on lower.org_unit_uid = above.descendant_uid
    inner join places as whole
        on lower.suppression_group = whole.suppression_group
        and lower.period_start = whole.period_start
        and lower.series = whole.series
        and above.ancestor_uid = whole.org_unit_uid
        and whole.is_part_shown
    where lower.is_total_shown and not lower.is_part_shown
    order by
        lower.suppression_group, lower.period_start, lower.series, lower.org_unit_uid, above.ancestor_level desc
),

-- The deepest of them: what a whole is made of.
leaves as (
    select * from totals
    where not exists (
        select 1 from totals as deeper
        inner join above on deeper.org_unit_uid = above.descendant_uid
        where above.ancestor_uid = totals.org_unit_uid
            and deeper.suppression_group = totals.suppression_group
            and deeper.period_start = totals.period_start
    )
),

-- How much of a whole the others can be at most, and must be at least, for all that is known: where somebody has none of the
-- one, the attacker may know it.
others as (
    select
        totals.suppression_group,
        totals.base_group,
        totals.period_start,
        totals.whole_uid,
        totals.org_unit_uid,
        totals.value,
        totals.whole_value,
        coalesce(sum(leaves.total) filter (where leaves.value > 0), 0) as at_most,
        coalesce(sum(leaves.total) filter (where leaves.other_value = 0), 0) as at_least
    from totals
    left join leaves
        on totals.suppression_group = leaves.suppression_group
        and totals.period_start = leaves.period_start
        and totals.series = leaves.series
        and totals.whole_uid = leaves.whole_uid
        and totals.org_unit_uid <> leaves.org_unit_uid
        and not exists (
            select 1 from above
            where above.descendant_uid = leaves.org_unit_uid and above.ancestor_uid = totals.org_unit_uid
        )
    group by
        totals.suppression_group, totals.base_group, totals.period_start, totals.series, totals.whole_uid,
        totals.org_unit_uid, totals.value, totals.whole_value
),

exposed as (
    -- A small number has to be possibly none, and possibly not small.
    select suppression_group, base_group, period_start, whole_uid
    from others
    where value > 0 and value < {{ small_cell_threshold() }}
        and (at_most < whole_value or whole_value - at_least < {{ small_cell_threshold() }})
    union
    -- What a place has beside those below it, and more parts than total: not thought through, so not shown.
    select suppression_group, base_group, period_start, whole_uid
    from leaves
    group by suppression_group, base_group, period_start, series, whole_uid
    having sum(total) <> max(whole_total) or sum(value) <> max(whole_value) or min(value) < 0
),

withheld as (
    select totals.base_group as suppression_group, totals.period_start, totals.org_unit_uid
    from totals
    inner join exposed
        on totals.suppression_group = exposed.suppression_group
        and totals.base_group = exposed.base_group
        and totals.period_start = exposed.period_start
        and totals.whole_uid = exposed.whole_uid
)

select
    suppression_group,
    org_unit_uid,
    period_start,
    is_shown and (suppression_group, period_start, org_unit_uid) not in (
        select suppression_group, period_start, org_unit_uid from withheld
    ) as is_shown
from decided
