{{ config(tags=['weekly']) }}

-- As of the end of the last week that has doses, or of today. For whoever follows children up: int_immunization_child is closed
-- to analysts and districts, and so is this (docs/roles.md).
with as_of as (
    select least(max(week_start) + 6, current_date) as day from {{ ref('fct_immunization_dose') }}
),

due as (
    select max(due_weeks) as weeks from {{ ref('dim_vaccine_schedule') }} where dose_code = 'PENTA1'
),

children as (
    select distinct on (patient_source_key) *
    from {{ ref('int_immunization_child') }}
    order by patient_source_key, enrolled_on desc nulls last, enrolment_key
)

select
    children.patient_source_key,
    children.org_unit_uid as facility_uid,
    facilities.fosa_code,
    facilities.name as facility_name,
    facilities.district_name as district,
    children.residence_district,
    children.residence_sector,
    children.sex,
    date_trunc('month', children.birth_date)::date as birth_month,
    (as_of.day - children.birth_date)::integer as age_days,
    (as_of.day - children.birth_date - due.weeks * 7)::integer as days_overdue,
    as_of.day as as_of
from children
cross join as_of
cross join due
left join {{ ref('dim_facility') }} as facilities
    on children.org_unit_uid = facilities.facility_uid and facilities.is_current
where as_of.day - children.birth_date > due.weeks * 7
    and children.birth_date > as_of.day - interval '5 years'
    and not exists (
        select from {{ ref('fct_immunization_dose') }} as doses
        where doses.patient_source_key = children.patient_source_key and doses.dose_code = 'PENTA1'
    )
