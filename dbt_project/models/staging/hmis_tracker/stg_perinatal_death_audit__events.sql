{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    event_time='partition_start',
    meta={'dagster': {'group': 'hmis_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{%- set fields = [
    ['pda_kind', 'kAOpQ9o4a4o', 'key'],
    ['pda_birth_date', 'WX3HqLC4Sy5', 'date'],
    ['pda_death_date', 'HfnJOXQ067G', 'date'],
    ['pda_age_hours', 'EA5ZaLLuyxw', 'integer'],
    ['pda_weight', 'aalWZLlZaYk', 'integer'],
    ['pda_gestation', 'sTxcrly0sFI', 'integer'],
    ['pda_delivery', 'CMaEmp2CVjm', 'key'],
    ['pda_plurality', 'MQU3y4mvoPj', 'integer'],
    ['pda_apgar5', 'DF9PTs4SL5h', 'integer'],
    ['pda_mother_age', 'IrioMCDgGGm', 'integer'],
    ['pda_anc_visits', 'kbQnMMEi7tp', 'integer'],
    ['pda_partogram', 'hHAXz75oYo3', 'boolean'],
    ['pda_resuscitated', 'QzbWkCJrrZE', 'boolean'],
    ['pda_cause', 'nu3s53EHMJ8', 'key'],
    ['pda_audit_date', 'wStBElqByFW', 'date'],
    ['pda_delay', 'zr7TSQA8MSW', 'key'],
    ['pda_avoidable', 'YqNwzlqmFDV', 'key'],
    ['pda_final_cause', 'XcmkKMFrqga', 'key'],
    ['pda_members', 'Pzf5wkvS1aQ', 'integer'],
    ['pda_action', 'Yx8AVkTEZMj', 'key'],
] %}

select
    records.event as event_uid,
    records.enrollment as enrollment_uid,
    records.tracked_entity as tracked_entity_uid,
    records.program as program_uid,
    records.program_stage as program_stage_uid,
    case records.program_stage
        when 'PdaStgCas01' then 'birth_and_death'
        when 'PdaStgAud01' then 'committee_audit'
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
        'perinatal_death_audit',
        key='event',
        columns=[
            'event', 'program', 'program_stage', 'enrollment', 'tracked_entity', 'org_unit', 'status',
            'occurred_at', 'scheduled_at', 'completed_at', 'attribute_option_combo', 'follow_up',
            'created_at', 'geometry', 'data_values'
        ],
        unified=source('raw', 'u_hmis_tracker_perinatal_death_audit_events'),
        legacy=source('raw', 'hmis_tracker_perinatal_death_audit_events'),
        renamed={
            'tracked_entity': 'tracked_entity_instance', 'occurred_at': 'event_date', 'scheduled_at':
            'due_date', 'completed_at': 'completed_date', 'follow_up': 'followup', 'created_at': 'created'
        }
    ) }}
) as records
{{ field_values('records.data_values', fields) }}
