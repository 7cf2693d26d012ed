{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    event_time='partition_start',
    meta={'dagster': {'group': 'immunization_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{%- set fields = [
    ['imm_birth_weight', 'hyb86Upx7eP', 'integer'],
    ['imm_place', 'p70Erazc47M', 'key'],
    ['imm_pab', 'kimYFfV6QSs', 'boolean'],
    ['imm_mother_td', 'XgnqQFsJ0AP', 'integer'],
    ['imm_multiple', 'ChqCqXuuT5s', 'boolean'],
    ['imm_hiv_exposed', 'adEF4Z89ulT', 'boolean'],
    ['imm_card', 'tdC5xh4DXCv', 'text'],
    ['imm_chw', 'FZwvUyM03KM', 'text'],
    ['imm_schedule', 'y59ujg2zF5K', 'key'],
    ['imm_weight', 'RLJXRz1HNmI', 'number'],
    ['imm_height', 'NJOvrYwQBUO', 'number'],
    ['imm_place_of_visit', 'zMvpEpfFVwI', 'key'],
    ['imm_bcg', 'K8pox2htFFc', 'boolean'],
    ['imm_opv0', 'JTGfeewdMWw', 'boolean'],
    ['imm_opv1', 'F1zVzgxJkSg', 'boolean'],
    ['imm_penta1', 'Rieez55zZIk', 'boolean'],
    ['imm_pcv1', 'yPSQ3SNDKUg', 'boolean'],
    ['imm_rota1', 'dC0046QVyU5', 'boolean'],
    ['imm_opv2', 'VnhYURnihZ0', 'boolean'],
    ['imm_penta2', 'YpQ7xuvpRAb', 'boolean'],
    ['imm_pcv2', 'bM7M8iyFOjn', 'boolean'],
    ['imm_rota2', 'LT9cRuzBSJX', 'boolean'],
    ['imm_opv3', 'dDkbo3j2gDw', 'boolean'],
    ['imm_penta3', 'HgA0t0WhX2n', 'boolean'],
    ['imm_pcv3', 'f0E1bJV9B4w', 'boolean'],
    ['imm_ipv1', 'NbnMPx0aK7M', 'boolean'],
    ['imm_mr1', 'zJInPehVqaO', 'boolean'],
    ['imm_ipv2', 'oWZGQ6mr7Df', 'boolean'],
    ['imm_vitamin_a', 'IIpa5jH6ACp', 'boolean'],
    ['imm_mr2', 'Qunh3jfMpTe', 'boolean'],
    ['imm_batch', 'nzbmJ0K2OC5', 'text'],
    ['imm_aefi', 'HvrhJ0uKjNV', 'text'],
] %}

select
    records.event as event_uid,
    records.enrollment as enrollment_uid,
    records.tracked_entity as tracked_entity_uid,
    records.program as program_uid,
    records.program_stage as program_stage_uid,
    case records.program_stage
        when 'ImmStgBir01' then 'birth_details'
        when 'ImmStgVis01' then 'immunization_visit'
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
        'immunization',
        key='event',
        columns=[
            'event', 'program', 'program_stage', 'enrollment', 'tracked_entity', 'org_unit', 'status',
            'occurred_at', 'scheduled_at', 'completed_at', 'attribute_option_combo', 'follow_up',
            'created_at', 'geometry', 'data_values'
        ],
        unified=source('raw', 'u_immunization_tracker_events'),
        legacy=source('raw', 'immunization_tracker_events'),
        renamed={
            'tracked_entity': 'tracked_entity_instance', 'occurred_at': 'event_date', 'scheduled_at':
            'due_date', 'completed_at': 'completed_date', 'follow_up': 'followup', 'created_at': 'created'
        }
    ) }}
) as records
{{ field_values('records.data_values', fields) }}
