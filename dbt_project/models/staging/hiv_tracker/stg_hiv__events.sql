{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    event_time='partition_start',
    meta={'dagster': {'group': 'hiv_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{%- set fields = [
    ['hiv_entry', 'ePkIQC0tbUO', 'key'],
    ['hiv_diagnosed', 'soIeHMwFWO4', 'date'],
    ['hiv_art_start', 'qt3b5S60dBm', 'date'],
    ['hiv_first_regimen', 'peIOlqtlQA5', 'key'],
    ['hiv_who_stage', 'VuTBztVMFGN', 'key'],
    ['hiv_cd4', 'u2U7CFMMolI', 'integer'],
    ['hiv_weight', 'ztm8ZDxgxdt', 'number'],
    ['hiv_height', 't5NsKlmQU5O', 'number'],
    ['hiv_tb_history', 'FnqaNIJcNtc', 'boolean'],
    ['hiv_partner_tested', 'MVHAT1g6t7v', 'boolean'],
    ['hiv_contacts', 'yC7BlM8n4Kq', 'integer'],
    ['hiv_disclosed', 'zcFQItcd6ei', 'boolean'],
    ['hiv_visit_type', 'gtkOdHQeytL', 'key'],
    ['hiv_bp', 'LBenU3ouQiA', 'text'],
    ['hiv_regimen', 'CiwOh05Chh7', 'key'],
    ['hiv_drug_days', 'CHLpxyNyWQp', 'integer'],
    ['hiv_adherence', 'xlup99tWaxu', 'key'],
    ['hiv_tb_screen', 'gfDGWzU4gHy', 'key'],
    ['hiv_tpt', 'PqJ2pG14x5e', 'key'],
    ['hiv_ctx', 'w3em7xwV6Tl', 'boolean'],
    ['hiv_pregnant', 'OUW3gtJg2fR', 'boolean'],
    ['hiv_fp', 'gjMw7zaBl73', 'key'],
    ['hiv_next', 'PKOWm4T5KMh', 'date'],
    ['hiv_note', 'ztNAIQr6ORH', 'key'],
    ['hiv_vl_collected', 'hJWt5iEl4cO', 'date'],
    ['hiv_vl_reason', 'xVaYUBYZsYL', 'key'],
    ['hiv_vl_sample', 'Gb2sucmwKBF', 'text'],
    ['hiv_vl_copies', 'Ihj1s7ioB7Y', 'integer'],
    ['hiv_vl_ldl', 'SNwmNg8vpiF', 'boolean'],
    ['hiv_vl_suppressed', 'BSGFZ5MAmYH', 'boolean'],
    ['hiv_vl_log', 'zDwyqZnxTR9', 'number'],
    ['hiv_vl_lab', 'CCunG6f8O42', 'text'],
    ['hiv_vl_received', 'YPF9tKYOeVd', 'date'],
    ['hiv_exit', 'rfFbiTdH9Je', 'key'],
    ['hiv_exit_date', 'L0pZ0EEXbrL', 'date'],
    ['hiv_transfer_to', 'pj7cs5Gd3Qa', 'text'],
    ['hiv_traced', 'PQm3KI2KfIW', 'boolean'],
    ['hiv_death_cause', 'SSUEHew6WSs', 'text'],
] %}

select
    records.event as event_uid,
    records.enrollment as enrollment_uid,
    records.tracked_entity as tracked_entity_uid,
    records.program as program_uid,
    records.program_stage as program_stage_uid,
    case records.program_stage
        when 'HivStgEnr01' then 'enrolment_in_care'
        when 'HivStgVis01' then 'clinical_visit'
        when 'HivStgVld01' then 'viral_load'
        when 'HivStgOut01' then 'transfer_or_exit'
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
        'hiv',
        key='event',
        columns=[
            'event', 'program', 'program_stage', 'enrollment', 'tracked_entity', 'org_unit', 'status',
            'occurred_at', 'scheduled_at', 'completed_at', 'attribute_option_combo', 'follow_up',
            'created_at', 'geometry', 'data_values'
        ],
        unified=source('raw', 'u_hiv_tracker_events'),
        legacy=source('raw', 'hiv_tracker_events'),
        renamed={
            'tracked_entity': 'tracked_entity_instance', 'occurred_at': 'event_date', 'scheduled_at':
            'due_date', 'completed_at': 'completed_date', 'follow_up': 'followup', 'created_at': 'created'
        }
    ) }}
) as records
{{ field_values('records.data_values', fields) }}
