{{ config(
    tags=['monthly', 'tracker'],
    meta={'dagster': {'group': 'hmis_tracker', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['period_start', 'org_unit_uid'], 'unique': true}]
) }}

-- A table of its own, so that who reads the report reads no rows of deaths: EXPLAIN ANALYZE would count them.
-- An audit whose case is not loaded tells of a death too, in the month of the audit; whether it was late nobody knows.
select
    date_trunc('quarter', coalesce(deaths.death_date, deaths.partition_start))::date as period_start,
    coalesce(closure.ancestor_uid, deaths.facility_uid, deaths.org_unit_uid, 'unknown') as org_unit_uid,
    coalesce(closure.ancestor_role, 'unmapped') as level,
    {%- for programme in ['maternal', 'perinatal'] %}
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
