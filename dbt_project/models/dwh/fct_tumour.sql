{{ config(
    materialized='incremental',
    incremental_strategy='microbatch',
    event_time='period_start',
    batch_size='month',
    begin='2020-01-01',
    lookback=0,
    unique_key='tumour_key',
    on_schema_change='append_new_columns',
    tags=['monthly', 'tracker'],
    meta={'dagster': {'group': 'cancer_registry', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['tumour_key'], 'unique': true}, {'columns': ['period_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- dbt puts the batch's window around the staged events, by their partition.
with tumours as (
    select * from {{ ref('stg_cancer__events') }}
    where program_stage = 'tumour' and {{ took_place('status') }}
),

persons as (
    select entities.tracked_entity_uid, {{ sex_of_person('entities.cr_sex') }} as sex
    from (select distinct tracked_entity_uid from tumours) as met
    inner join {{ ref('stg_cancer__tracked_entities') }} as entities on met.tracked_entity_uid = entities.tracked_entity_uid
),

-- Numbers typed by hand or through a spreadsheet have lost their zeros.
coded as (
    select
        tumours.*,
        persons.sex,
        case when cr_site ~ '^\d{1,2}$' then lpad(cr_site, 2, '0') end as site,
        case when cr_site_description ~ '^\d{1,3}$' then lpad(cr_site_description, 3, '0') end as subsite,
        case when cr_basis ~ '^\d$' then cr_basis::integer end as basis,
        substring(cr_stage from '^[0-4]')::integer as stage_number
    from tumours
    left join persons on tumours.tracked_entity_uid = persons.tracked_entity_uid
)

select
    {{ event_key("'cancer'", 'coded.event_uid') }} as tumour_key,
    {{ patient_source_key('cancer', 'coded.tracked_entity_uid') }} as patient_source_key,
    -- Sources of information name the tumour by a number typed in by hand, as text there, as a number here: the digits are alike.
    {{ patient_source_key('cancer_tumour_number', "coded.tracked_entity_uid || '/' || ltrim(substring(coded.cr_tumour_id from '^\s*(\d+)'), '0')") }}
        as tumour_number_key,
    coded.org_unit_uid,
    facilities.facility_uid,
    coded.event_day as recorded_on,
    coded.cr_incidence_date as incidence_date,
    coded.sex,
    coded.cr_age::integer as age_years,
    coded.cr_province as residence_province_code,
    districts.district_code::text as residence_district_code,
    coded.cr_district as residence_district_source,
    'C' || coded.site as topography_group,
    'C' || left(coded.subsite, 2) || '.' || right(coded.subsite, 1) as topography,
    coded.cr_morphology as morphology,
    coded.cr_behaviour as behaviour,
    coded.cr_behaviour = '3' as is_malignant,
    coded.cr_grade as grade,
    coded.cr_laterality as laterality,
    coded.basis as basis_of_diagnosis,
    coded.basis between 5 and 8 as is_morphologically_verified,
    coded.basis = 0 as is_dco,
    case when coded.stage_number is not null then coded.cr_stage end as stage,
    coded.stage_number in (3, 4) as is_late_stage,
    coded.cr_record_status = '1' as is_confirmed,
    coded.cr_hiv_status as hiv_status,
    coded.cr_treated as was_treated,
    coded.partition_start as period_start,
    coded.load_id
from coded
left join {{ ref('int_facility_registry') }} as facilities on coded.org_unit_uid = facilities.facility_uid
left join {{ ref('district') }} as districts
    on {{ district_name_key('coded.cr_district') }} = {{ district_name_key('districts.name') }}
