{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='birth_key',
    tags=['weekly', 'tracker'],
    meta={'dagster': {'group': 'crvs', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['birth_key'], 'unique': true}, {'columns': ['week_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- One birth may stand here three times, once a source: never add sources up.
with registered as (
    select * from {{ ref('stg_crvs__events') }}
    where {{ weeks_of_run('partition_start') }} and program_stage = 'birth' and {{ took_place('status') }}
),

at_facility as (
    select * from {{ ref('stg_birth_registration__events') }}
    where {{ weeks_of_run('partition_start') }} and program_stage = 'birth' and {{ took_place('status') }}
),

-- Inner joins here: the attributes of nobody else are then taken out of their JSON.
crvs_sex as (
    select entities.tracked_entity_uid, {{ sex_of_person('entities.sex') }} as sex
    from (select distinct tracked_entity_uid from registered) as met
    inner join {{ ref('stg_crvs__tracked_entities') }} as entities on met.tracked_entity_uid = entities.tracked_entity_uid
),

facility_sex as (
    select entities.tracked_entity_uid, {{ sex_of_person('entities.sex') }} as sex
    from (select distinct tracked_entity_uid from at_facility) as met
    inner join {{ ref('stg_birth_registration__tracked_entities') }} as entities
        on met.tracked_entity_uid = entities.tracked_entity_uid
),

births as (
    select
        'crvs' as source,
        {{ event_key("'crvs'", 'registered.event_uid') }} as birth_key,
        {{ patient_source_key('crvs', 'registered.tracked_entity_uid') }} as patient_source_key,
        null::uuid as delivery_key,
        registered.org_unit_uid,
        registered.crv_fosa as source_facility_code,
        registered.crv_birth_date as birth_date,
        coalesce(registered.crv_registered, registered.event_day) as registration_date,
        registered.crv_place as place,
        crvs_sex.sex,
        'LIVE' as outcome,
        registered.crv_weight as weight_g,
        null::bigint as gestation_weeks,
        registered.crv_plurality as plurality,
        registered.crv_order as birth_order,
        registered.crv_mother_age as mother_age_years,
        registered.partition_start,
        registered.load_id
    from registered
    left join crvs_sex on registered.tracked_entity_uid = crvs_sex.tracked_entity_uid
    union all
    select
        'birth_registration',
        {{ event_key("'birth_registration'", 'at_facility.event_uid') }},
        {{ patient_source_key('birth_registration', 'at_facility.tracked_entity_uid') }},
        null,
        at_facility.org_unit_uid,
        null,
        at_facility.brg_birth_date,
        null,
        'FACILITY',
        facility_sex.sex,
        at_facility.brg_outcome,
        at_facility.brg_weight,
        at_facility.brg_gestation,
        at_facility.brg_plurality,
        null,
        at_facility.brg_mother_age,
        at_facility.partition_start,
        at_facility.load_id
    from at_facility
    left join facility_sex on at_facility.tracked_entity_uid = facility_sex.tracked_entity_uid
    union all
    select
        'ebuzima',
        {{ patient_source_key('ebuzima_birth', 'newborn_id') }},
        {{ patient_source_key('ebuzima_newborn', 'newborn_id') }},
        {{ patient_source_key('ebuzima_delivery', 'delivery_id') }},
        null,
        facility_code,
        {{ local_day('born_at') }},
        null,
        'FACILITY',
        {{ sex_of_person('sex') }},
        case outcome when 'LIVE_BIRTH' then 'LIVE' when 'FRESH_STILLBIRTH' then 'FSB' when 'MACERATED_STILLBIRTH' then 'MSB' else outcome end,
        weight_g,
        null,
        null,
        null,
        null,
        partition_start,
        load_id
    from {{ ref('stg_ebuzima__newborns') }}
    where {{ weeks_of_run('partition_start') }}
)

select
    births.birth_key,
    births.source,
    births.patient_source_key,
    births.delivery_key,
    births.org_unit_uid,
    -- Where it was born: by its code, where the source says one (the civil registrar is another unit); else the unit.
    coalesce(by_code.facility_uid, case when births.source = 'birth_registration' then units.facility_uid end) as facility_uid,
    births.source_facility_code,
    births.birth_date,
    births.registration_date,
    births.registration_date - births.birth_date as days_to_registration,
    births.registration_date - births.birth_date between 0 and 30 as is_registered_on_time,
    births.place,
    births.sex,
    births.outcome,
    births.weight_g::integer as weight_g,
    births.gestation_weeks::integer as gestation_weeks,
    births.plurality::integer as plurality,
    births.birth_order::integer as birth_order,
    births.mother_age_years::integer as mother_age_years,
    births.partition_start as week_start,
    births.load_id
from births
left join {{ ref('int_facility_name') }} as by_code
    on {{ fosa_code('births.source_facility_code') }} = by_code.fosa_code and by_code.is_fosa_unique
left join {{ ref('int_facility_registry') }} as units on births.org_unit_uid = units.facility_uid
