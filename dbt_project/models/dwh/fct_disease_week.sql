{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    tags=['weekly'],
    meta={'dagster': {'group': 'idsr', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['week_start', 'place_key', 'disease_code'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

with told as (
    select
        facts.week_start,
        facts.place_key,
        facts.disease_code,
        facts.path,
        max(facts.facility_uid) as facility_uid,
        max(facts.source_code) as source_code,
        facts.path = coalesce(diseases.preferred_path, 'direct') as is_preferred_path,
        bool_or(facts.is_expected) as is_expected,
        bool_or(facts.is_reported) as is_reported,
        sum(facts.cases)::bigint as cases,
        sum(facts.deaths)::bigint as deaths,
        (sum(facts.cases) filter (where bands.to_years < 5))::bigint as cases_under_5,
        (sum(facts.deaths) filter (where bands.to_years < 5))::bigint as deaths_under_5,
        min(facts.received_on) as received_on,
        bool_or(facts.is_on_time) as is_on_time
    from {{ ref('fct_idsr_weekly') }} as facts
    left join {{ ref('idsr_disease') }} as diseases on facts.disease_code = diseases.disease_code
    left join {{ ref('idsr_age_band') }} as bands on facts.age_band = bands.age_band
    where {{ weeks_of_run('facts.week_start') }}
    group by facts.week_start, facts.place_key, facts.disease_code, facts.path, diseases.preferred_path
)

-- One path a facility, disease and week: the preferred one, and the other where only that has a report.
select distinct on (week_start, place_key, disease_code)
    week_start,
    place_key,
    facility_uid,
    source_code,
    disease_code,
    path,
    is_preferred_path,
    is_expected,
    is_reported,
    cases,
    deaths,
    case when is_reported then coalesce(cases_under_5, 0) end as cases_under_5,
    case when is_reported then coalesce(deaths_under_5, 0) end as deaths_under_5,
    received_on,
    is_on_time
from told
order by week_start, place_key, disease_code, is_reported desc, is_preferred_path desc
