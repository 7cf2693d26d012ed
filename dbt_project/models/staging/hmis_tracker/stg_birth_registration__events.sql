{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    event_time='partition_start',
    meta={'dagster': {'group': 'hmis_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{%- set fields = [
    ['brg_birth_date', 'YetBywn2TTm', 'date'],
    ['brg_birth_time', 'T0DSyNTHHKe', 'time'],
    ['brg_outcome', 'H0m9qrJKGod', 'key'],
    ['brg_delivery', 'PbIiWCGsWBM', 'key'],
    ['brg_attendant', 'rkhw2lLRZK1', 'key'],
    ['brg_weight', 'zWDvWiCXPIb', 'integer'],
    ['brg_length', 'Ljk37DaCJc7', 'number'],
    ['brg_gestation', 'ad4YjAKtdCY', 'integer'],
    ['brg_apgar1', 'SrXRcqHJORy', 'integer'],
    ['brg_apgar5', 'rTUx8BeIo9T', 'integer'],
    ['brg_plurality', 'TJPhFDK0Tz1', 'integer'],
    ['brg_order', 'ol5ZLcTmSFz', 'integer'],
    ['brg_mother_age', 'fTTIkeqRtmv', 'integer'],
    ['brg_mother_hiv', 'oIk3yCoXNRZ', 'key'],
    ['brg_anc_visits', 'XUBvoZZfsFG', 'integer'],
    ['brg_vitamin_k', 'OKq5C253dYZ', 'boolean'],
    ['brg_skin_to_skin', 'ngbbHbgevse', 'boolean'],
    ['brg_discharged', 'H3iR49M53H8', 'date'],
    ['brg_condition', 'zwkHnMmf1Pq', 'key'],
    ['brg_feeding', 'cgzEA5A5gBy', 'key'],
    ['brg_weight_out', 'x2guFLCb33O', 'integer'],
    ['brg_temperature', 'ffSTt7eoCES', 'number'],
    ['brg_bcg', 'z3nhpkZJMoq', 'boolean'],
    ['brg_crvs_done', 'xQtxoWfigCN', 'boolean'],
    ['brg_pnc_date', 'E66fPv7D75t', 'date'],
] %}

select
    records.event as event_uid,
    records.enrollment as enrollment_uid,
    records.tracked_entity as tracked_entity_uid,
    records.program as program_uid,
    records.program_stage as program_stage_uid,
    case records.program_stage
        when 'BrgStgBir01' then 'birth'
        when 'BrgStgDis01' then 'postnatal_check_and_discharge'
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
        'birth_registration',
        key='event',
        columns=[
            'event', 'program', 'program_stage', 'enrollment', 'tracked_entity', 'org_unit', 'status',
            'occurred_at', 'scheduled_at', 'completed_at', 'attribute_option_combo', 'follow_up',
            'created_at', 'geometry', 'data_values'
        ],
        unified=source('raw', 'u_hmis_tracker_birth_registration_events'),
        legacy=source('raw', 'hmis_tracker_birth_registration_events'),
        renamed={
            'tracked_entity': 'tracked_entity_instance', 'occurred_at': 'event_date', 'scheduled_at':
            'due_date', 'completed_at': 'completed_date', 'follow_up': 'followup', 'created_at': 'created'
        }
    ) }}
) as records
{{ field_values('records.data_values', fields) }}
