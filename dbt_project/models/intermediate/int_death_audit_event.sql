{{ config(
    materialized='incremental',
    incremental_strategy='microbatch',
    event_time='partition_start',
    batch_size='month',
    begin='2020-01-01',
    lookback=0,
    unique_key='event_key',
    on_schema_change='append_new_columns',
    tags=['monthly', 'tracker'],
    meta={'dagster': {'group': 'hmis_tracker', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['event_key'], 'unique': true}, {'columns': ['partition_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- The case and the committee's audit of it lie in different months: each is built by its own, and dwh.fct_death_audit puts
-- them together. dbt puts the batch's window around the staged events, by their partition.
with records as (
    select
        'maternal_death_audit'::text as programme,
        event_uid,
        enrollment_uid,
        tracked_entity_uid,
        org_unit_uid,
        status,
        program_stage = 'committee_audit' as is_audit,
        event_day,
        null::date as birth_date,
        mda_death_date as death_date,
        null::text as kind,
        null::bigint::bigint as age_hours,
        null::bigint::bigint as age_months,
        mda_age::bigint as age_years,
        null::bigint::bigint as weight_g,
        mda_gestation::bigint as gestation_weeks,
        mda_phase::text as phase,
        mda_delivery::text as delivery_mode,
        mda_cause as presumed_cause,
        mda_final_cause as final_cause,
        mda_icd::text as cause_icd10,
        mda_avoidable as avoidable,
        mda_delay as delay,
        mda_audit_date as audit_date,
        partition_start,
        load_id
    from {{ ref('stg_maternal_death_audit__events') }}
    union all
    select
        'perinatal_death_audit'::text as programme,
        event_uid,
        enrollment_uid,
        tracked_entity_uid,
        org_unit_uid,
        status,
        program_stage = 'committee_audit' as is_audit,
        event_day,
        pda_birth_date as birth_date,
        pda_death_date as death_date,
        pda_kind::text as kind,
        pda_age_hours::bigint as age_hours,
        null::bigint as age_months,
        null::bigint as age_years,
        pda_weight::bigint as weight_g,
        pda_gestation::bigint as gestation_weeks,
        null::text as phase,
        pda_delivery::text as delivery_mode,
        pda_cause as presumed_cause,
        pda_final_cause as final_cause,
        null::text as cause_icd10,
        pda_avoidable as avoidable,
        pda_delay as delay,
        pda_audit_date as audit_date,
        partition_start,
        load_id
    from {{ ref('stg_perinatal_death_audit__events') }}
    union all
    select
        'child_death_audit'::text as programme,
        event_uid,
        enrollment_uid,
        tracked_entity_uid,
        org_unit_uid,
        status,
        program_stage = 'committee_audit' as is_audit,
        event_day,
        null as birth_date,
        cda_death_date as death_date,
        null::text as kind,
        null::bigint as age_hours,
        cda_age_months::bigint as age_months,
        null::bigint as age_years,
        null::bigint as weight_g,
        null::bigint as gestation_weeks,
        null::text as phase,
        null::text as delivery_mode,
        cda_cause as presumed_cause,
        cda_final_cause as final_cause,
        null::text as cause_icd10,
        cda_avoidable as avoidable,
        cda_delay as delay,
        cda_audit_date as audit_date,
        partition_start,
        load_id
    from {{ ref('stg_child_death_audit__events') }}
)

select
    {{ event_key('records.programme', 'records.event_uid') }} as event_key,
    {{ enrolment_key('records.programme', 'records.enrollment_uid') }} as enrolment_key,
    records.programme,
    identity.pseudonym(records.programme, records.tracked_entity_uid) as patient_source_key,
    records.org_unit_uid,
    facilities.facility_uid,
    records.is_audit,
    records.status,
    coalesce({{ took_place('records.status') }}, false) as took_place,
    records.event_day,
    records.birth_date,
    records.death_date,
    records.kind,
    records.age_hours::integer as age_hours,
    records.age_months::integer as age_months,
    records.age_years::integer as age_years,
    records.weight_g::integer as weight_g,
    records.gestation_weeks::integer as gestation_weeks,
    records.phase,
    records.delivery_mode,
    records.presumed_cause,
    records.final_cause,
    -- Typed in: what is no code of ICD-10 is left out, since free text may say who it was.
    substring(upper(records.cause_icd10) from '^[A-Z][0-9]{2}(?:\.[0-9]{1,2})?$') as cause_icd10,
    records.avoidable,
    records.delay,
    records.audit_date,
    records.partition_start,
    records.load_id
from records
left join {{ ref('int_facility_registry') }} as facilities on records.org_unit_uid = facilities.facility_uid
