{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    event_time='partition_start',
    meta={'dagster': {'group': 'hmis_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{%- set fields = [
    ['tb_patient_type', 'BPr8rTSI6M6', 'key'],
    ['tb_site', 'B0NMbmxUQOa', 'key'],
    ['tb_ep_site', 'D4ESRAV3kXr', 'key'],
    ['tb_basis', 'C3DIP20usQz', 'key'],
    ['tb_resistance', 'NmbgJnTm0Y2', 'key'],
    ['tb_first_test', 'oraZylWY1SK', 'key'],
    ['tb_referred_by', 'QNO3ktjYvC1', 'key'],
    ['tb_hiv_status', 'Zi4px73w7sM', 'key'],
    ['tb_on_art', 'dgkTVggGISG', 'boolean'],
    ['tb_cpt', 'sKQ9abQYW8H', 'boolean'],
    ['tb_weight', 'AQoMXU2qVZE', 'number'],
    ['tb_height', 'qPh6p3ULQoa', 'number'],
    ['tb_diabetes', 'zXEBsrw1rUT', 'boolean'],
    ['tb_smoker', 'laKi0OBIj6f', 'boolean'],
    ['tb_malnourished', 'rtBtOJSvRfW', 'boolean'],
    ['tb_contacts_u5', 'p1HPYnnJUuL', 'integer'],
    ['tb_contacts_o5', 'EVH05arOnKr', 'integer'],
    ['tb_tpt_started', 't3Ad35j62s0', 'integer'],
    ['tb_regimen', 'JwLVwYuTdCe', 'key'],
    ['tb_treatment_start', 'YEfh3g5l6Ys', 'date'],
    ['tb_symptoms', 'yc1JeFZW3PT', 'key'],
    ['tb_remark', 'ZaLMr74ETJL', 'key'],
    ['tb_lab_no', 'A1N4jkF1IHe', 'text'],
    ['tb_specimen', 'kQzik2wYuHx', 'key'],
    ['tb_collected', 'sUMWjmX9dml', 'date'],
    ['tb_result_date', 'lvvNOWuh9og', 'date'],
    ['tb_xpert', 'MU3LkIgiBLZ', 'key'],
    ['tb_smear', 'atOxu12Q7IB', 'key'],
    ['tb_dst_r', 'fjvUrqp06ka', 'key'],
    ['tb_dst_h', 'a1aFgmqbL07', 'key'],
    ['tb_lab_month', 'HrsxzdLYeao', 'integer'],
    ['tb_visit_month', 'Sy4zbKo2180', 'integer'],
    ['tb_phase', 'Lo82x4mjMrG', 'key'],
    ['tb_doses_taken', 'sj0kRDepXZd', 'integer'],
    ['tb_doses_missed', 'FePevRm1eIY', 'integer'],
    ['tb_dot', 'qzh9QfYB1kz', 'key'],
    ['tb_side_effects', 'h2N7sGvKgNK', 'key'],
    ['tb_adherence', 'nmeAaNjxSNS', 'number'],
    ['tb_next_visit', 'ddpLdaYHrwu', 'date'],
    ['tb_outcome', 'qbNp41zQftS', 'key'],
    ['tb_outcome_date', 'OVQSoYHeoIU', 'date'],
    ['tb_final_smear', 'yACdDAB2IuD', 'key'],
    ['tb_cause_of_death', 'QCqHMT5wC1E', 'text'],
] %}

select
    records.event as event_uid,
    records.enrollment as enrollment_uid,
    records.tracked_entity as tracked_entity_uid,
    records.program as program_uid,
    records.program_stage as program_stage_uid,
    case records.program_stage
        when 'TbStgReg001' then 'registration_and_diagnosis'
        when 'TbStgLab001' then 'laboratory'
        when 'TbStgVis001' then 'treatment_visit'
        when 'TbStgOut001' then 'treatment_outcome'
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
        'tb',
        key='event',
        columns=[
            'event', 'program', 'program_stage', 'enrollment', 'tracked_entity', 'org_unit', 'status',
            'occurred_at', 'scheduled_at', 'completed_at', 'attribute_option_combo', 'follow_up',
            'created_at', 'geometry', 'data_values'
        ],
        unified=source('raw', 'u_hmis_tracker_tb_events'),
        legacy=source('raw', 'hmis_tracker_tb_events'),
        renamed={
            'tracked_entity': 'tracked_entity_instance', 'occurred_at': 'event_date', 'scheduled_at':
            'due_date', 'completed_at': 'completed_date', 'follow_up': 'followup', 'created_at': 'created'
        }
    ) }}
) as records
{{ field_values('records.data_values', fields) }}
