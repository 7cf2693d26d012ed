{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='death_key',
    tags=['weekly', 'tracker'],
    meta={'dagster': {'group': 'crvs', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['death_key'], 'unique': true}, {'columns': ['week_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

with registered as (
    select * from {{ ref('stg_crvs__events') }}
    where {{ weeks_of_run('partition_start') }} and program_stage = 'death' and {{ took_place('status') }}
),

persons as (
    select entities.tracked_entity_uid, {{ sex_of_person('entities.sex') }} as sex
    from (select distinct tracked_entity_uid from registered) as met
    inner join {{ ref('stg_crvs__tracked_entities') }} as entities on met.tracked_entity_uid = entities.tracked_entity_uid
),

deaths as (
    select
        registered.*,
        persons.sex,
        upper(registered.crv_age_unit) as age_unit,
        coalesce(registered.crv_registered, registered.event_day) as registration_date
    from registered
    left join persons on registered.tracked_entity_uid = persons.tracked_entity_uid
)

select
    {{ event_key("'crvs'", 'deaths.event_uid') }} as death_key,
    {{ patient_source_key('crvs', 'deaths.tracked_entity_uid') }} as patient_source_key,
    deaths.org_unit_uid,
    facilities.facility_uid,
    deaths.crv_death_date as death_date,
    deaths.registration_date,
    deaths.registration_date - deaths.crv_death_date as days_to_registration,
    deaths.registration_date - deaths.crv_death_date between 0 and 30 as is_registered_on_time,
    deaths.sex,
    deaths.crv_age::integer as age,
    deaths.age_unit,
    case deaths.age_unit
        when 'YEARS' then deaths.crv_age
        when 'MONTHS' then deaths.crv_age / 12
        when 'DAYS' then deaths.crv_age / 365
        when 'HOURS' then deaths.crv_age / 8760
    end::integer as age_years,
    case deaths.age_unit
        when 'YEARS' then deaths.crv_age < 0
        when 'MONTHS' then deaths.crv_age < 1
        when 'DAYS' then deaths.crv_age < 28
        when 'HOURS' then deaths.crv_age < 28 * 24
    end as is_neonatal,
    deaths.crv_death_place as place,
    deaths.crv_manner as manner,
    upper(deaths.crv_underlying) as cause_icd10,
    deaths.crv_pregnancy as was_pregnant,
    deaths.crv_certifier as certifier,
    deaths.partition_start as week_start,
    deaths.load_id
from deaths
left join {{ ref('int_facility_registry') }} as facilities on deaths.org_unit_uid = facilities.facility_uid
