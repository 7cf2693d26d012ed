{{ config(
    tags=['weekly'],
    pre_hook="{{ ensure_table('fct_measure_month') }}"
) }}

-- A birth or death counts in the quarter it happened in, not in that of its registration: late ones raise earlier quarters. Deaths
-- are few, and what is kept back is decided a quarter at a time (macros/disclosure.sql). What births are held against is built
-- by month: macros/other_calls.sql says why it is no ref.
{%- set births = {
    'births': 'LIVE_BIRTHS', 'births_on_time': 'LIVE_BIRTHS_REGISTERED_ON_TIME', 'births_in_facility': 'LIVE_BIRTHS_IN_FACILITY'
} %}
{%- set deaths = {
    'deaths': 'DEATHS', 'deaths_on_time': 'DEATHS_REGISTERED_ON_TIME', 'deaths_with_cause': 'DEATHS_WITH_CAUSE'
} %}

with registered as (
    select
        date_trunc('quarter', period_start)::date as period_start,
        org_unit_uid,
        level,
        {%- for name, measure in (births.items() | list) + (deaths.items() | list) %}
        coalesce(sum(value) filter (where measure_code = '{{ measure }}'), 0) as {{ name }},
        {%- endfor %}
        max(data_as_of) as data_as_of
    from {{ ref('fct_event_count') }}
    where item = 'crvs'
    group by 1, 2, 3
),

-- Of quarters of which all three months have a number.
held_against as (
    select
        date_trunc('quarter', period_start)::date as period_start,
        org_unit_uid,
        {%- for name, measure, share in [
            ('expected_births', 'POP_BIRTHS', ' / 12'), ('hmis_live_births', 'LIVE_BIRTHS', ''), ('hmis_deliveries', 'DELIVERIES', '')
        ] %}
        case when count(*) filter (where measure_code = '{{ measure }}') = 3
            then sum(value) filter (where measure_code = '{{ measure }}'){{ share }} end as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ table_of('fct_measure_month') }}
    where measure_code in ('POP_BIRTHS', 'LIVE_BIRTHS', 'DELIVERIES')
    group by 1, 2
),

cells as (
    select
        'deaths' as suppression_group,
        registered.period_start as atom_start,
        registered.org_unit_uid,
        series.name as series,
        series.value
    from registered
    cross join lateral (
        values
        ('deaths', registered.deaths),
        ('deaths_on_time', registered.deaths_on_time),
        ('deaths_with_cause', registered.deaths_with_cause),
        ('late', registered.deaths - registered.deaths_on_time),
        ('without cause', registered.deaths - registered.deaths_with_cause)
    ) as series (name, value)
),

shown as (
    with {{ shown_places('cells') }}
),

summed as (
    select
        registered.level,
        registered.org_unit_uid,
        names.period_type,
        names.period,
        count(*) as quarters,
        coalesce(bool_and(shown.is_shown), false) as is_shown,
        {%- for name in (births.keys() | list) + (deaths.keys() | list) %}
        sum(registered.{{ name }})::bigint as {{ name }},
        {%- endfor %}
        {%- for name in ['expected_births', 'hmis_live_births', 'hmis_deliveries'] %}
        case when count(*) = count(held_against.{{ name }}) then sum(held_against.{{ name }}) end as {{ name }},
        {%- endfor %}
        max(registered.data_as_of) as data_as_of
    from registered
    inner join {{ ref('dim_period') }} as periods on registered.period_start = periods.period_start
    cross join lateral {{ periods_of('periods') }}
    left join held_against
        on registered.period_start = held_against.period_start and registered.org_unit_uid = held_against.org_unit_uid
    left join shown
        on registered.period_start = shown.period_start and registered.org_unit_uid = shown.org_unit_uid
    where names.period_type <> 'month'
    group by registered.level, registered.org_unit_uid, names.period_type, names.period
),

told as (
    select
        *,
        {%- for name in deaths %}
        case when is_shown then {{ name }} end as shown_{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from summed
),

loaded as (
    {{ months_loaded('crvs') }}
)

select
    {{ place_columns('told') }},
    told.period_type,
    told.period,
    told.quarters,
    told.births as registered_births,
    told.expected_births,
    100 * told.births / nullif(told.expected_births, 0) as birth_completeness,
    told.births_in_facility as registered_births_in_facility,
    told.hmis_live_births,
    100 * told.births_in_facility / nullif(told.hmis_live_births, 0) as facility_birth_completeness,
    told.hmis_deliveries,
    told.births_on_time as births_registered_on_time,
    (100.0 * told.births_on_time / nullif(told.births, 0))::double precision as birth_timeliness,
    told.shown_deaths as registered_deaths,
    told.shown_deaths_on_time as deaths_registered_on_time,
    (100.0 * told.shown_deaths_on_time / nullif(told.shown_deaths, 0))::double precision as death_timeliness,
    told.shown_deaths_with_cause as deaths_with_cause,
    (100.0 * told.shown_deaths_with_cause / nullif(told.shown_deaths, 0))::double precision as death_cause_share,
    not told.is_shown as is_deaths_suppressed,
    told.data_as_of,
    coalesce(loaded.months_loaded, 0) as months_loaded,
    coalesce(loaded.is_complete, false) as is_complete
from told
left join loaded on told.period_type = loaded.period_type and told.period = loaded.period
{{ place_joins('told') }}
