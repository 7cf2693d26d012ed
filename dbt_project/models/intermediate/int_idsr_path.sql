{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    tags=['weekly'],
    meta={'dagster': {'group': 'idsr', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['week_start', 'place_key', 'disease_code'], 'unique': true}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

with bands as (
    select
        week_start,
        place_key,
        disease_code,
        age_band,
        max(facility_uid) as facility_uid,
        max(cases) filter (where path = 'direct') as direct_cases,
        max(deaths) filter (where path = 'direct') as direct_deaths,
        max(cases) filter (where path = 'dhis2') as dhis2_cases,
        max(deaths) filter (where path = 'dhis2') as dhis2_deaths,
        bool_or(path = 'direct' and is_reported) as is_direct,
        bool_or(path = 'dhis2' and is_reported) as is_dhis2
    from {{ ref('fct_idsr_weekly') }}
    where {{ weeks_of_run('week_start') if is_incremental() else 'true' }}
    group by week_start, place_key, disease_code, age_band
),

sides as (
    select
        week_start,
        place_key,
        disease_code,
        max(facility_uid) as facility_uid,
        sum(direct_cases)::bigint as direct_cases,
        sum(direct_deaths)::bigint as direct_deaths,
        sum(dhis2_cases)::bigint as dhis2_cases,
        sum(dhis2_deaths)::bigint as dhis2_deaths,
        bool_or(is_direct) as is_direct,
        bool_or(is_dhis2) as is_dhis2,
        bool_or(
            coalesce(direct_cases, 0) <> coalesce(dhis2_cases, 0) or coalesce(direct_deaths, 0) <> coalesce(dhis2_deaths, 0)
        ) as is_other
    from bands
    group by week_start, place_key, disease_code
),

-- Where a path is not loaded, nobody can say that it has no report.
loaded as (
    select week_start
    from {{ ref('fct_idsr_report') }}
    where {{ weeks_of_run('week_start') if is_incremental() else 'true' }}
    group by week_start
    having count(distinct path) = 2
)

select
    sides.week_start,
    sides.place_key,
    sides.disease_code,
    sides.facility_uid,
    sides.direct_cases,
    sides.dhis2_cases,
    sides.direct_deaths,
    sides.dhis2_deaths,
    case
        when not sides.is_dhis2 then 'only direct'
        when not sides.is_direct then 'only dhis2'
        when sides.is_other then 'differs'
        else 'agrees'
    end as verdict
from sides
inner join loaded on sides.week_start = loaded.week_start
where sides.is_direct or sides.is_dhis2
