{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    tags=['weekly'],
    meta={'dagster': {'group': 'idsr', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['disease_code', 'district_key', 'week_start'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

with counted as (
    select
        facts.week_start,
        coalesce(units.district_uid, 'unmapped') as district_key,
        facts.disease_code,
        facts.is_expected,
        facts.is_reported,
        facts.is_preferred_path,
        facts.cases,
        facts.deaths,
        facts.cases_under_5,
        facts.deaths_under_5
    from {{ ref('fct_disease_week') }} as facts
    left join {{ ref('int_org_unit') }} as units on facts.facility_uid = units.org_unit_uid
    where {{ weeks_of_run('facts.week_start') }}
)

select
    week_start,
    district_key,
    disease_code,
    sum(cases)::bigint as cases,
    sum(deaths)::bigint as deaths,
    sum(cases_under_5)::bigint as cases_under_5,
    sum(deaths_under_5)::bigint as deaths_under_5,
    count(*) filter (where is_expected) as facilities_expected,
    count(*) filter (where is_reported) as facilities_reported,
    count(*) filter (where is_reported and not is_preferred_path) as facilities_by_other_path,
    coalesce(sum(cases) filter (where not is_preferred_path), 0)::bigint as cases_by_other_path,
    coalesce(sum(deaths) filter (where not is_preferred_path), 0)::bigint as deaths_by_other_path
from counted
group by week_start, district_key, disease_code
