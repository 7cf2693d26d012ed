{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    tags=['weekly'],
    meta={'dagster': {'group': 'idsr', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['disease_code', 'district_key', 'week_start'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

with told as (
    select
        facts.week_start,
        facts.place_key,
        facts.disease_code,
        facts.path,
        coalesce(units.district_uid, 'unmapped') as district_key,
        facts.path = coalesce(diseases.preferred_path, 'direct') as is_preferred,
        bool_or(facts.is_expected) as is_expected,
        bool_or(facts.is_reported) as is_reported,
        sum(facts.cases) as cases,
        sum(facts.deaths) as deaths,
        sum(facts.cases) filter (where bands.to_years < 5) as cases_under_5,
        sum(facts.deaths) filter (where bands.to_years < 5) as deaths_under_5
    from {{ ref('fct_idsr_weekly') }} as facts
    left join {{ ref('int_org_unit') }} as units on facts.facility_uid = units.org_unit_uid
    left join {{ ref('idsr_disease') }} as diseases on facts.disease_code = diseases.disease_code
    left join {{ ref('idsr_age_band') }} as bands on facts.age_band = bands.age_band
    where {{ weeks_of_run('facts.week_start') }}
    group by
        facts.week_start, facts.place_key, facts.disease_code, facts.path, units.district_uid, diseases.preferred_path
),

-- One path a facility, disease and week: the preferred one, and the other where only that has a report.
chosen as (
    select distinct on (week_start, place_key, disease_code) *
    from told
    order by week_start, place_key, disease_code, is_reported desc, is_preferred desc
)

select
    week_start,
    district_key,
    disease_code,
    sum(cases)::bigint as cases,
    sum(deaths)::bigint as deaths,
    case when count(*) filter (where is_reported) > 0 then coalesce(sum(cases_under_5), 0)::bigint end as cases_under_5,
    case when count(*) filter (where is_reported) > 0 then coalesce(sum(deaths_under_5), 0)::bigint end as deaths_under_5,
    count(*) filter (where is_expected) as facilities_expected,
    count(*) filter (where is_reported) as facilities_reported,
    count(*) filter (where is_reported and not is_preferred) as facilities_by_other_path,
    coalesce(sum(cases) filter (where not is_preferred), 0)::bigint as cases_by_other_path,
    coalesce(sum(deaths) filter (where not is_preferred), 0)::bigint as deaths_by_other_path
from chosen
group by week_start, district_key, disease_code
