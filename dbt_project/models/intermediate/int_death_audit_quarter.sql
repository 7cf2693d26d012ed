{{ config(
    tags=['monthly', 'tracker'],
    meta={'dagster': {'group': 'hmis_tracker', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['period_start', 'org_unit_uid'], 'unique': true}]
) }}

-- A table of its own, so that who reads the report reads no rows of deaths: EXPLAIN ANALYZE would count them. What may be shown is
-- decided here too: nobody reads new numbers by what was decided on old ones.
{%- set programmes = {'mothers': 'maternal', 'newborns': 'perinatal'} %}
{%- set counts = [
    'notified', 'notified_1', 'notified_2', 'notified_3', 'audited', 'audited_in_time', 'lateness_unknown'
] %}

-- An audit whose case is not loaded tells of a death too, in the month of the audit; whether it was late nobody knows.
with counted as (
    select
        date_trunc('quarter', coalesce(deaths.death_date, deaths.partition_start))::date as period_start,
        coalesce(closure.ancestor_uid, deaths.facility_uid, deaths.org_unit_uid, 'unknown') as org_unit_uid,
        coalesce(closure.ancestor_role, 'unmapped') as level,
        {%- for programme in programmes.values() %}
        {%- set its = "deaths.programme = '" ~ programme ~ "_death_audit'" %}
        count(*) filter (where {{ its }}) as {{ programme }}_notified,
        {%- for month in range(3) %}
        count(*) filter (
            where {{ its }} and not (deaths.is_audited and deaths.days_to_audit is null)
                and extract(month from coalesce(deaths.death_date, deaths.partition_start))::integer % 3 = {{ (month + 1) % 3 }}
        ) as {{ programme }}_notified_{{ month + 1 }},
        {%- endfor %}
        count(*) filter (where {{ its }} and deaths.is_audited) as {{ programme }}_audited,
        count(*) filter (
            where {{ its }} and deaths.is_audited and deaths.days_to_audit between 0 and {{ var('death_audit_days') }}
        ) as {{ programme }}_audited_in_time,
        count(*) filter (
            where {{ its }} and deaths.is_audited and deaths.days_to_audit is null
        ) as {{ programme }}_lateness_unknown{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('fct_death_audit') }} as deaths
    left join {{ ref('int_org_unit_closure') }} as closure
        on coalesce(deaths.facility_uid, deaths.org_unit_uid) = closure.descendant_uid and closure.is_reporting_level
    where deaths.programme in ('maternal_death_audit', 'perinatal_death_audit')
    group by 1, 2, 3
),

-- Every place, in quarters in which anybody had any: a place that had none is shown, or not, with those beside it.
places as (
    select quarters.period_start, units.org_unit_uid, units.level
    from (select distinct period_start from counted) as quarters
    cross join (
        select distinct ancestor_uid as org_unit_uid, ancestor_role as level
        from {{ ref('int_org_unit_closure') }}
        where is_reporting_level
    ) as units
    union
    select period_start, org_unit_uid, level from counted where level = 'unmapped'
),

quarters as (
    select
        places.*,
        {%- for programme in programmes.values() %}
        {%- set last = loop.last %}
        {%- for count in counts %}
        coalesce(counted.{{ programme }}_{{ count }}, 0) as {{ programme }}_{{ count }}{{ ',' if not (last and loop.last) }}
        {%- endfor %}
        {%- endfor %}
    from places
    left join counted
        on places.period_start = counted.period_start
        and places.org_unit_uid = counted.org_unit_uid
        and places.level = counted.level
),

cells as (
    select
        series.suppression_group,
        quarters.period_start as atom_start,
        quarters.org_unit_uid,
        series.name as series,
        series.value
    from quarters
    cross join lateral (
        values
        {%- for group, programme in programmes.items() %}
        {%- set its = 'quarters.' ~ programme %}
        {%- set cases = its ~ '_notified - ' ~ its ~ '_lateness_unknown' %}
        {%- set audited = its ~ '_audited - ' ~ its ~ '_lateness_unknown' %}
        -- rpt_programme_monthly has those of a month: two months and the quarter would tell of the third.
        {%- for count in counts %}
        ('{{ group }}', '{{ count }}', {{ its }}_{{ count }}),
        {%- endfor %}
        ('{{ group }}', 'cases', {{ cases }}),
        ('{{ group }}', 'not audited', {{ its }}_notified - {{ its }}_audited),
        ('{{ group }}', 'audited late', {{ audited }} - {{ its }}_audited_in_time),
        -- Two parts together may be known to be some where neither is.
        ('{{ group }}', 'cases audited', {{ audited }}),
        ('{{ group }}', 'late or not audited', {{ cases }} - {{ its }}_audited_in_time),
        ('{{ group }}', 'in time or not audited', {{ cases }} - ({{ audited }} - {{ its }}_audited_in_time))
        {{- ',' if not loop.last }}
        {%- endfor %}
    ) as series (suppression_group, name, value)
),

-- How many are notified whose case is loaded may be known from rpt_programme_monthly too.
shown as (
    with {{ shown_places('cells', {'cases': [
        'audited_in_time', 'audited late', 'not audited', 'cases audited', 'late or not audited', 'in time or not audited'
    ]}) }}
)

select
    quarters.*,
    {%- for group in programmes %}
    coalesce(of_{{ group }}.is_shown, false) as is_{{ group }}_shown{{ ',' if not loop.last }}
    {%- endfor %}
from quarters
{%- for group in programmes %}
left join shown as of_{{ group }}
    on of_{{ group }}.suppression_group = '{{ group }}'
    and quarters.period_start = of_{{ group }}.period_start
    and quarters.org_unit_uid = of_{{ group }}.org_unit_uid
{%- endfor %}
