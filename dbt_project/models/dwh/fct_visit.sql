{{ config(
    materialized='incremental',
    incremental_strategy='microbatch',
    event_time='period_start',
    batch_size='month',
    begin='2020-01-01',
    lookback=0,
    on_schema_change='append_new_columns',
    tags=['monthly', 'clinical'],
    meta={'dagster': {'group': 'clinical', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['period_start', 'visit_key'], 'unique': true}, {'columns': ['patient_source_key']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- dbt puts the batch's window, and an alias of its own, around a ref that has an event_time: hence the imports. `offset 0` keeps PostgreSQL
-- from putting the expression behind a name everywhere the name stands: a date of birth would be parsed a dozen times.
with visits as (
    select * from {{ ref('stg_efiche__visits') }} offset 0
),

encounters as (
    select * from {{ ref('stg_hpemr__encounters') }} offset 0
),

community_encounters as (
    select * from {{ ref('stg_cemr__community_encounters') }} offset 0
),

crosswalk as (
    select system, source_key, facility_uid from {{ ref('int_facility_crosswalk') }} where facility_uid is not null
),

told as (
    select
        {{ clinical_record_key('efiche_visit', 'visit_id') }} as visit_key,
        'efiche' as system,
        {{ patient_source_key('efiche', file_of_facility('facility_code', 'file_number', 'visit_id')) }} as patient_source_key,
        {{ facility_of_record('facility_code', 'facility_name') }} as source_facility_code,
        visit_date,
        partition_start as period_start,
        'outpatient' as visit_type,
        case visit_type when 'NC' then true when 'AC' then false end as is_new_case,
        case sex when '1' then 'M' when '2' then 'F' end as sex,
        age_years as told_years,
        {{ completed_months('date_of_birth', 'visit_date') }} as months,
        false as is_age_estimated,
        insurance_scheme,
        insurance_category,
        case outcome
            when 'HOME' then 'home' when 'REFERRED' then 'referred' when 'ADMITTED' then 'admitted' when 'LEFT' then 'left'
            else outcome
        end as outcome,
        outcome = 'REFERRED' as was_referred,
        referred_to_facility_code,
        amount_paid_rwf,
        load_id,
        source_updated_at
    from visits
    union all
    select
        {{ clinical_record_key('hpemr_encounter', 'encounter_id') }},
        'hpemr',
        {{ patient_source_key('hpemr', file_of_facility('facility_code', 'file_number', 'encounter_id')) }},
        {{ facility_of_record('facility_code', 'facility_name', 'district') }},
        {{ local_day('started_at') }},
        partition_start,
        'health_post',
        new_case,
        case sex when 'male' then 'M' when 'female' then 'F' end,
        null,
        {{ completed_months('date_of_birth', local_day('started_at')) }},
        coalesce(date_of_birth_estimated, false),
        insurance_scheme,
        insurance_category,
        case disposition when 'TREATED_HOME' then 'home' when 'REFERRED' then 'referred' else disposition end,
        disposition = 'REFERRED',
        null,
        null,
        load_id,
        source_updated_at
    from encounters
    union all
    select
        {{ clinical_record_key('cemr_encounter', 'encounter_id') }},
        'cemr',
        {{ patient_source_key('cemr', 'patient_id') }},
        {{ facility_of_record('null::text', 'facility_name', 'facility_district') }},
        encounter_date,
        partition_start,
        'community' || coalesce('_' || encounter_type, ''),
        null,
        case when sex in ('M', 'F') then sex end,
        null,
        age_months::integer,
        false,
        null,
        null,
        case when referral_reason is not null then 'referred' end,
        referral_reason is not null,
        null,
        null,
        load_id,
        source_updated_at
    from community_encounters
    offset 0
),

-- Who tells the years is believed; months are kept where they do not contradict them.
aged as (
    select
        told.*,
        coalesce(told_years, months / 12)::integer as age_years,
        case when not is_age_estimated and months / 12 = coalesce(told_years, months / 12) then months end as age_months
    from told
)

select
    aged.visit_key,
    aged.system,
    aged.patient_source_key,
    facilities.facility_uid,
    aged.source_facility_code,
    aged.visit_date,
    aged.period_start,
    aged.visit_type,
    aged.is_new_case,
    aged.sex,
    aged.age_years,
    aged.age_months,
    aged.is_age_estimated,
    bands.age_band_key,
    coalesce(in_force.insurance_key, schemes.insurance_key) as insurance_key,
    case
        when aged.insurance_scheme is null then null
        when in_force.insurance_key is not null then 'exact'
        when schemes.insurance_key is not null then 'scheme only'
        else 'unknown'
    end as insurance_mapping,
    aged.insurance_scheme as source_insurance_scheme,
    aged.insurance_category as source_insurance_category,
    aged.outcome,
    aged.was_referred,
    referred_to.facility_uid as referred_to_facility_uid,
    aged.referred_to_facility_code as source_referred_to_code,
    aged.amount_paid_rwf,
    aged.load_id,
    aged.source_updated_at
from aged
left join crosswalk as facilities on aged.system = facilities.system and aged.source_facility_code = facilities.source_key
left join crosswalk as referred_to
    on aged.system = referred_to.system and aged.referred_to_facility_code = referred_to.source_key
left join {{ ref('dim_age_band') }} as bands on bands.band_set = 'opd' and {{ years_in_band('aged.age_years', 'bands') }}
left join {{ ref('dim_insurance') }} as in_force
    on aged.insurance_scheme = in_force.scheme
    and coalesce(aged.insurance_category, '') = coalesce(in_force.category, '')
    and aged.visit_date between in_force.valid_from and coalesce(in_force.valid_to, 'infinity'::date)
-- A category of another time or scheme: the scheme is known all the same.
left join {{ ref('dim_insurance') }} as schemes
    on aged.insurance_scheme = schemes.scheme and schemes.category is null
    and aged.visit_date between schemes.valid_from and coalesce(schemes.valid_to, 'infinity'::date)
