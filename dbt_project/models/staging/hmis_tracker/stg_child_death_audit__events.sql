{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    event_time='partition_start',
    meta={'dagster': {'group': 'hmis_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{%- set fields = [
    ['cda_death_date', 'TSuR1tCb57w', 'date'],
    ['cda_age_months', 'XVIbxqb9B2y', 'integer'],
    ['cda_admission', 'yuRabkJWM1k', 'date'],
    ['cda_ill_since', 'AwQy8HmaTBk', 'date'],
    ['cda_weight', 'EDOiqAwRnNZ', 'number'],
    ['cda_muac', 'sjmIVoOefZO', 'integer'],
    ['cda_referred', 'x0SMSE9vFMD', 'boolean'],
    ['cda_vaccinated', 'MGxQ2ICN9Pw', 'key'],
    ['cda_hiv', 'r3IsIZ2pvVi', 'key'],
    ['cda_temperature', 'HdqwrTMw6rI', 'number'],
    ['cda_cause', 'hSiCIxR1doP', 'key'],
    ['cda_story', 'gvfHtik4Y2a', 'key'],
    ['cda_audit_date', 'Jp2Fx6S11gJ', 'date'],
    ['cda_delay', 'MVOWkzu6yJV', 'key'],
    ['cda_avoidable', 'WiINydd94YZ', 'key'],
    ['cda_final_cause', 'Owr9Y7t66WS', 'key'],
    ['cda_members', 'yM9Q6ilruRj', 'integer'],
    ['cda_action', 'mpBKW4gD1pB', 'key'],
] %}

select
    records.event as event_uid,
    records.enrollment as enrollment_uid,
    records.tracked_entity as tracked_entity_uid,
    records.program as program_uid,
    records.program_stage as program_stage_uid,
    case records.program_stage
        when 'CdaStgCas01' then 'illness_and_death'
        when 'CdaStgAud01' then 'committee_audit'
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
        'child_death_audit',
        key='event',
        columns=[
            'event', 'program', 'program_stage', 'enrollment', 'tracked_entity', 'org_unit', 'status',
            'occurred_at', 'scheduled_at', 'completed_at', 'attribute_option_combo', 'follow_up',
            'created_at', 'geometry', 'data_values'
        ],
        unified=source('raw', 'u_hmis_tracker_child_death_audit_events'),
        legacy=source('raw', 'hmis_tracker_child_death_audit_events'),
        renamed={
            'tracked_entity': 'tracked_entity_instance', 'occurred_at': 'event_date', 'scheduled_at':
            'due_date', 'completed_at': 'completed_date', 'follow_up': 'followup', 'created_at': 'created'
        }
    ) }}
) as records
{{ field_values('records.data_values', fields) }}
