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
    indexes=[{'columns': ['period_start', 'visit_key', 'position'], 'unique': true}, {'columns': ['icd10_code']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- dbt puts the batch's window, and an alias of its own, around a ref that has an event_time: hence the imports.
with visit_diagnoses as (
    select * from {{ ref('stg_efiche__visit_diagnoses') }}
),

encounter_diagnoses as (
    select * from {{ ref('stg_hpemr__encounter_diagnoses') }}
),

community_diagnoses as (
    select * from {{ ref('stg_cemr__encounter_diagnoses') }}
),

visits as (
    select * from {{ ref('fct_visit') }}
),

-- Words that stand in place of a code may say anything of a person, and stay in staging.
told as (
    select
        {{ clinical_record_key('efiche_visit', 'visit_id') }} as visit_key,
        position,
        'efiche' as system,
        partition_start as period_start,
        diagnosis_code as source_code,
        position = 1 as is_primary,
        case certainty when 'CONFIRMED' then true when 'PRESUMED' then false end as is_confirmed,
        load_id
    from visit_diagnoses
    union all
    select
        {{ clinical_record_key('hpemr_encounter', 'encounter_id') }},
        position,
        'hpemr',
        partition_start,
        diagnosis_code,
        is_primary,
        null,
        load_id
    from encounter_diagnoses
    union all
    select
        {{ clinical_record_key('cemr_encounter', 'encounter_id') }},
        position,
        'cemr',
        partition_start,
        diagnosis_code,
        null,
        null,
        load_id
    from community_diagnoses
)

select
    told.visit_key,
    told.position,
    told.system,
    visits.patient_source_key,
    visits.facility_uid,
    visits.source_facility_code,
    visits.visit_date,
    told.period_start,
    visits.visit_type,
    told.source_code,
    codes.diagnosis_key,
    codes.icd10_code,
    codes.icd11_code,
    case
        when told.source_code is null then 'words only'
        when codes.diagnosis_key is null then 'unmapped'
        else coalesce(codes.icd10_relation, codes.icd11_relation)
    end as mapping_status,
    told.is_primary,
    told.is_confirmed,
    visits.is_new_case,
    visits.sex,
    visits.age_years,
    visits.age_band_key,
    told.load_id
from told
left join visits on told.visit_key = visits.visit_key
left join {{ ref('dim_diagnosis') }} as codes on told.system = codes.system and told.source_code = codes.source_code
