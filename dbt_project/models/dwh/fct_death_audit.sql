{{ config(
    materialized='view',
    tags=['monthly', 'tracker'],
    meta={'dagster': {'group': 'hmis_tracker', 'owners': ['team:data-engineering']}}
) }}

-- The case of a death, and its newest audit; an audit whose case is not loaded stands alone.
with cases as (
    select distinct on (enrolment_key) * from {{ ref('int_death_audit_event') }}
    where not is_audit and took_place
    order by enrolment_key, event_day desc, event_key
),

audits as (
    select distinct on (enrolment_key) * from {{ ref('int_death_audit_event') }}
    where is_audit
    order by enrolment_key, took_place desc, event_day desc, event_key
)

select
    coalesce(cases.enrolment_key, audits.enrolment_key) as death_key,
    coalesce(cases.programme, audits.programme) as programme,
    coalesce(cases.patient_source_key, audits.patient_source_key) as patient_source_key,
    coalesce(cases.org_unit_uid, audits.org_unit_uid) as org_unit_uid,
    case when cases.enrolment_key is not null then cases.facility_uid else audits.facility_uid end as facility_uid,
    cases.death_date,
    cases.birth_date,
    cases.kind,
    cases.age_hours,
    cases.age_months,
    cases.age_years,
    cases.weight_g,
    cases.gestation_weeks,
    cases.phase,
    cases.delivery_mode,
    cases.presumed_cause,
    coalesce(audits.took_place, false) as is_audited,
    audits.status as audit_status,
    case when audits.took_place then coalesce(audits.audit_date, audits.event_day) end as audited_on,
    case when audits.took_place then coalesce(audits.audit_date, audits.event_day) - cases.death_date end as days_to_audit,
    audits.final_cause,
    audits.cause_icd10,
    audits.avoidable = 'AVOIDABLE' as is_avoidable,
    audits.avoidable,
    audits.delay,
    coalesce(cases.partition_start, audits.partition_start) as partition_start,
    coalesce(cases.load_id, audits.load_id) as load_id
from cases
full join audits on cases.enrolment_key = audits.enrolment_key
