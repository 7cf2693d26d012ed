{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    event_time='partition_start',
    meta={'dagster': {'group': 'hmis_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{%- set fields = [
    ['mda_death_date', 'RWTINZIYhS3', 'date'],
    ['mda_death_time', 'tzh3FuEd6Qu', 'time'],
    ['mda_age', 'TKAqnSEiSz5', 'integer'],
    ['mda_gravidity', 'Wy6bkhBUJC3', 'integer'],
    ['mda_parity', 'YTHNZwBIDth', 'integer'],
    ['mda_anc_visits', 'pnIqs0kPon9', 'integer'],
    ['mda_gestation', 'sSwWR588wX0', 'integer'],
    ['mda_phase', 'jcBH0K4Wdzr', 'key'],
    ['mda_delivery', 'wJR2Eo7E74Y', 'key'],
    ['mda_admission', 'gjW3pqJxGu2', 'date'],
    ['mda_referred', 'eTjFNUXyLuU', 'boolean'],
    ['mda_cause', 'utBlbWAFUFk', 'key'],
    ['mda_baby', 'JLHSIMMRmGS', 'key'],
    ['mda_hiv', 'TChDfgUfXzE', 'key'],
    ['mda_haemoglobin', 'EWumysILrrF', 'number'],
    ['mda_story', 'yE09u4YjYHN', 'key'],
    ['mda_audit_date', 'G0Rt3qPJnRM', 'date'],
    ['mda_delay', 'FbjJTd75nO8', 'key'],
    ['mda_avoidable', 'R94GOejbjtE', 'key'],
    ['mda_final_cause', 'mgKIlIYY5MK', 'key'],
    ['mda_icd', 'YLdc382GcKJ', 'text'],
    ['mda_members', 'sSHc4ySCVce', 'integer'],
    ['mda_action', 'BL5W5u2mGqJ', 'key'],
    ['mda_action_due', 'Q7X2IwWAEeW', 'date'],
] %}

select
    records.event as event_uid,
    records.enrollment as enrollment_uid,
    records.tracked_entity as tracked_entity_uid,
    records.program as program_uid,
    records.program_stage as program_stage_uid,
    case records.program_stage
        when 'MdaStgCas01' then 'death_and_circumstances'
        when 'MdaStgAud01' then 'committee_audit'
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
        'maternal_death_audit',
        key='event',
        columns=[
            'event', 'program', 'program_stage', 'enrollment', 'tracked_entity', 'org_unit', 'status',
            'occurred_at', 'scheduled_at', 'completed_at', 'attribute_option_combo', 'follow_up',
            'created_at', 'geometry', 'data_values'
        ],
        unified=source('raw', 'u_hmis_tracker_maternal_death_audit_events'),
        legacy=source('raw', 'hmis_tracker_maternal_death_audit_events'),
        renamed={
            'tracked_entity': 'tracked_entity_instance', 'occurred_at': 'event_date', 'scheduled_at':
            'due_date', 'completed_at': 'completed_date', 'follow_up': 'followup', 'created_at': 'created'
        }
    ) }}
) as records
{{ field_values('records.data_values', fields) }}
