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

{{ shown_places('cells') }}
