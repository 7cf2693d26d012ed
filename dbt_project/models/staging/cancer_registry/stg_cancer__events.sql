{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    event_time='partition_start',
    meta={'dagster': {'group': 'cancer_registry', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{%- set fields = [
    ['cr_province', 'uEMsLRnx9Rm', 'key'],
    ['cr_district', 'N00UVdz6e7T', 'text'],
    ['cr_sector', 'PCd2TxCY8m2', 'text'],
    ['cr_tumour_id', 'Rc96fgK7ALB', 'text'],
    ['cr_incidence_date', 'qiPi86HJH9D', 'date'],
    ['cr_age', 'Lklmhjoa2VZ', 'integer'],
    ['cr_basis', 'VHehFWe512j', 'key'],
    ['cr_site', 'kSJoZ3z5hQx', 'key'],
    ['cr_site_description', 'I9ync75T47t', 'text'],
    ['cr_laterality', 'qOLUQCtzg2I', 'key'],
    ['cr_morphology', 'QIOrgJ3zy9m', 'key'],
    ['cr_behaviour', 'HaAWqMzv4uv', 'key'],
    ['cr_grade', 'MrZwfVZjJ4P', 'key'],
    ['cr_stage', 'H9sszefWP4e', 'key'],
    ['t', 'sopwqnS8ZJg', 'key'],
    ['n', 'JFvZQSveF6D', 'key'],
    ['m', 'LBgGxb2ozNy', 'key'],
    ['cr_hiv_status', 'YuRMNLh38jl', 'key'],
    ['cr_hiv_date', 'tMgCzGDCkSa', 'date'],
    ['cr_record_status', 'JixL2NlzKFY', 'key'],
    ['cr_treated', 'GBZe3dru9cE', 'boolean'],
    ['cr_intent', 'd33xJmGOBUz', 'key'],
    ['cr_surgery', 'fjH5fdC1y2P', 'date'],
    ['cr_radiotherapy', 'MSeyF0DdWFo', 'date'],
    ['cr_chemotherapy', 'MoBq2kosm69', 'date'],
    ['cr_source_type', 'K3NIAWvUw60', 'key'],
    ['cr_source_hospital', 'V2iEMkmPyA7', 'key'],
    ['cr_source_service', 'wpeUl88WIkA', 'key'],
    ['cr_hospital_no', 'fEv6VuRUkyA', 'text'],
    ['cr_archive_no', 'YiMCLa9jU4d', 'text'],
    ['cr_admission', 't4B4VHKLkw2', 'date'],
    ['cr_discharge', 'GyxEnADzeXw', 'date'],
    ['cr_biopsy_no', 'CbMnNPyqiLb', 'text'],
    ['cr_sampling', 'yQXYue45HiS', 'date'],
    ['cr_report', 'bOwrn5nnSdo', 'date'],
    ['cr_source_tumour', 'woA6r6wlfRj', 'number'],
    ['cr_referred_from', 'l7WbCVWHG1a', 'text'],
    ['cr_last_contact', 'jHjwk2S729D', 'date'],
    ['cr_vital', 'R6l9lAtrzuO', 'key'],
    ['cr_progression', 'JnK93gHKWWB', 'key'],
    ['cr_alive_for', 'G9YlSzRP2dR', 'key'],
    ['cr_phase', 'hlpvwTUFK52', 'key'],
    ['cr_weight', 'TCAqYG6Swy6', 'number'],
    ['cr_ecog', 'vZhFeW4H0RV', 'integer'],
    ['cr_fu_note', 'sfFBZCK47hD', 'key'],
    ['cr_ref_date', 'nxtczUSBAo4', 'date'],
    ['cr_ref_to', 'yh8OM39IQrl', 'key'],
    ['cr_ref_service', 'uojU6f2ieyq', 'key'],
    ['cr_ref_reason', 'SuaTIg3xX12', 'text'],
    ['cr_ref_urgent', 'JpcLyCaz8un', 'boolean'],
    ['cr_ref_transport', 'xVOKDEl7bfO', 'boolean'],
    ['cr_ref_arrived', 'bt80GLaaaKz', 'date'],
    ['cr_ref_summary', 'IUt987VAURn', 'key'],
    ['cr_death_date', 'r3fXGvcDzZK', 'date'],
    ['cr_death_cause', 'raGhtmyg1yW', 'text'],
    ['cr_death_place', 'jA6eYYVTsFd', 'key'],
    ['cr_death_site_crvs', 'MpfAgRTulLc', 'text'],
] %}

select
    records.event as event_uid,
    records.enrollment as enrollment_uid,
    records.tracked_entity as tracked_entity_uid,
    records.program as program_uid,
    records.program_stage as program_stage_uid,
    case records.program_stage
        when 'Y0cWLBEdXzb' then 'tumour'
        when 'x0UOKjUKJsO' then 'source_of_information'
        when 'yj7nAGqKXZw' then 'follow_up'
        when 'HzJ5KgS5a1l' then 'oncology_referral_and_transfer'
        when 'jBnTNp97poo' then 'deaths'
    end as program_stage,
    records.org_unit as org_unit_uid,
    records.status as status,
    records._partition as partition_start,
    {{ event_day('records.occurred_at', 'records.scheduled_at') }} as event_day,
    {{ clean_date('records.occurred_at') }} as occurred_date,
    {{ clean_date('records.scheduled_at') }} as scheduled_date,
    {{ clean_timestamp('records.completed_at') }} as completed_at,
    records.attribute_option_combo as attribute_option_combo_uid,
    coalesce({{ clean_boolean('records.follow_up') }}, false) as follow_up,
    {{ as_jsonb('records.geometry') }} as geometry,
    {{ clean_timestamp('records.created_at') }} as created_at,
    records._load_id as load_id,
    records._source_updated_at as source_updated_at,
    fields.document as data_values{{ field_columns(fields) }}
from (
    {{ tracker_rows(
        'cancer',
        key='event',
        columns=[
            'event', 'program', 'program_stage', 'enrollment', 'tracked_entity', 'org_unit', 'status',
            'occurred_at', 'scheduled_at', 'completed_at', 'attribute_option_combo', 'follow_up',
            'created_at', 'geometry', 'data_values'
        ],
        unified=source('raw', 'u_cancer_registry_events'),
        legacy=source('raw', 'cancer_registry_events'),
        renamed={
            'tracked_entity': 'tracked_entity_instance', 'occurred_at': 'event_date', 'scheduled_at':
            'due_date', 'completed_at': 'completed_date', 'follow_up': 'followup', 'created_at': 'created'
        }
    ) }}
) as records
{{ field_values('records.data_values', fields) }}
