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
    indexes=[{'columns': ['period_start', 'order_key', 'position'], 'unique': true}, {'columns': ['loinc_code']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- dbt puts the batch's window, and an alias of its own, around a ref that has an event_time: hence the imports.
with orders as (
    select * from {{ ref('stg_efiche__lab_orders') }}
),

results as (
    select * from {{ ref('stg_efiche__lab_results') }}
),

visits as (
    select * from {{ ref('fct_visit') }} where system = 'cemr'
),

community_encounters as (
    select * from {{ ref('stg_cemr__community_encounters') }}
),

crosswalk as (
    select source_key, facility_uid from {{ ref('int_facility_crosswalk') }} where system = 'efiche' and facility_uid is not null
),

told as (
    select
        {{ clinical_record_key('efiche_lab_order', 'results.lab_order_id') }} as order_key,
        results.position,
        'efiche' as system,
        {{ clinical_record_key('efiche_visit', 'orders.visit_id') }} as visit_key,
        {{ patient_source_key('efiche', file_of_facility(
            'orders.facility_code', 'orders.file_number', 'coalesce(orders.visit_id, orders.lab_order_id)')) }} as patient_source_key,
        crosswalk.facility_uid,
        {{ facility_of_record('orders.facility_code', 'orders.facility_name') }} as source_facility_code,
        results.ordered_on,
        results.partition_start as period_start,
        case orders.sex when '1' then 'M' when '2' then 'F' end as sex,
        orders.age_years::integer as age_years,
        orders.specimen,
        orders.status as order_status,
        results.test_code as source_code,
        -- A quantity typed as text has a decimal comma.
        coalesce(results.value_number, {{ clean_number("replace(results.value_text, ',', '.')") }}) as value_number,
        case when {{ clean_number("replace(results.value_text, ',', '.')") }} is null then results.value_text end as words,
        results.unit,
        results.range_low,
        results.range_high,
        case when results.flag in ('L', 'N', 'H') then results.flag end as range_flag,
        results.load_id
    from results
    left join orders on results.lab_order_id = orders.lab_order_id
    left join crosswalk on {{ facility_of_record('orders.facility_code', 'orders.facility_name') }} = crosswalk.source_key
    union all
    select
        encounters.encounter_key,
        1,
        'cemr',
        encounters.encounter_key,
        visits.patient_source_key,
        visits.facility_uid,
        visits.source_facility_code,
        encounters.encounter_date,
        encounters.partition_start,
        visits.sex,
        visits.age_years,
        null,
        null,
        'RDT',
        null,
        encounters.malaria_test,
        null,
        null,
        null,
        null,
        encounters.load_id
    from (
        select *, {{ clinical_record_key('cemr_encounter', 'encounter_id') }} as encounter_key
        from community_encounters
        where malaria_test <> 'NOT_DONE'
    ) as encounters
    left join visits on encounters.encounter_key = visits.visit_key
)

select
    told.order_key,
    told.position,
    told.system,
    told.visit_key,
    told.patient_source_key,
    told.facility_uid,
    told.source_facility_code,
    told.ordered_on,
    told.period_start,
    told.sex,
    told.age_years,
    bands.age_band_key,
    told.specimen,
    told.order_status,
    told.source_code,
    tests.lab_test_key,
    tests.loinc_code,
    coalesce(tests.relation, 'unmapped') as mapping_status,
    told.value_number,
    told.unit,
    told.value_number * units.factor as value_standard,
    case when told.value_number is not null then units.standard_unit end as standard_unit,
    case
        when answers.answer is not null then answers.meaning
        -- A titre, as Widal's, is no word.
        when told.words ~* '^\s*(t[oh]\s+)?1/\d{1,5}\s*$' then upper({{ clean_text('told.words') }})
    end as value_text,
    told.words is not null and answers.answer is null and told.words !~* '^\s*(t[oh]\s+)?1/\d{1,5}\s*$' as has_other_words,
    told.range_low,
    told.range_high,
    told.range_flag,
    answers.is_positive,
    case
        when told.range_flag is not null then told.range_flag in ('L', 'H')
        when told.value_number is not null and (told.range_low is not null or told.range_high is not null)
            then told.value_number < coalesce(told.range_low, '-infinity') or told.value_number > coalesce(told.range_high, 'infinity')
    end as is_abnormal,
    told.load_id
from told
left join {{ ref('dim_lab_test') }} as tests on told.system = tests.system and told.source_code = tests.source_code
left join {{ ref('lab_unit') }} as units
    on tests.loinc_code = units.loinc_code and translate(lower(told.unit), 'µμ', 'uu') = units.source_unit
left join {{ ref('lab_answer') }} as answers on {{ plain_letters(clean_text('told.words')) }} = answers.answer
left join {{ ref('dim_age_band') }} as bands on bands.band_set = 'opd' and {{ years_in_band('told.age_years', 'bands') }}
