{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    event_time='partition_start',
    meta={'dagster': {'group': 'crvs', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{%- set fields = [
    ['crv_registered', 'oAUl4QFMc9Z', 'date'],
    ['crv_birth_date', 'ElCB7RCyFk8', 'date'],
    ['crv_birth_time', 'EoK6mxH8YzI', 'time'],
    ['crv_place', 'dY8kgfzZVsr', 'key'],
    ['crv_fosa', 'OqDxC0EtqEW', 'text'],
    ['crv_delivery', 'krZQpnJOyqP', 'key'],
    ['crv_plurality', 'cuhGtEqBm2r', 'integer'],
    ['crv_order', 'iRSQ93kWAb6', 'integer'],
    ['crv_weight', 'C9CTRMpL2ru', 'integer'],
    ['crv_mother_age', 'lB1tRi2SloD', 'integer'],
    ['crv_mother_education', 'bsfuO3RCiRj', 'key'],
    ['crv_mother_civil', 'IZ8XTZbWxCO', 'key'],
    ['crv_father_known', 'ZqPfXbte0Z0', 'boolean'],
    ['crv_informant', 'Z7mMk7VADyP', 'key'],
    ['crv_nin', 'Gz8SYZpIFfD', 'text'],
    ['crv_death_date', 'r7EgfQLLsb7', 'date'],
    ['crv_death_time', 'z3pTtNwhDDw', 'time'],
    ['crv_death_place', 'pk4VryyQjtW', 'key'],
    ['crv_age', 'Z3LhRnAhNII', 'integer'],
    ['crv_age_unit', 'eVet7Ea5lPr', 'text'],
    ['crv_civil', 'tf02gVKkFqe', 'key'],
    ['crv_occupation', 'cFEmeaEHpR2', 'key'],
    ['crv_manner', 'DXaviB4tcVs', 'key'],
    ['crv_cause_a', 'qOWVHTMQLTf', 'text'],
    ['crv_cause_a_days', 'PxuSdbH7TFJ', 'integer'],
    ['crv_cause_b', 'PN5myM27zAX', 'text'],
    ['crv_underlying', 'oQNVBDDikle', 'key'],
    ['crv_pregnancy', 'CbCprfC8YVy', 'boolean'],
    ['crv_certifier', 'BwH9XIKVejv', 'key'],
] %}

select
    records.event as event_uid,
    records.enrollment as enrollment_uid,
    records.tracked_entity as tracked_entity_uid,
    records.program as program_uid,
    records.program_stage as program_stage_uid,
    case records.program_stage
        when 'CrvStgBir01' then 'birth'
        when 'CrvStgDea01' then 'death'
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
        'crvs',
        key='event',
        columns=[
            'event', 'program', 'program_stage', 'enrollment', 'tracked_entity', 'org_unit', 'status',
            'occurred_at', 'scheduled_at', 'completed_at', 'attribute_option_combo', 'follow_up',
            'created_at', 'geometry', 'data_values'
        ],
        unified=source('raw', 'u_hmis_tracker_crvs_events'),
        legacy=source('raw', 'hmis_tracker_crvs_events'),
        renamed={
            'tracked_entity': 'tracked_entity_instance', 'occurred_at': 'event_date', 'scheduled_at':
            'due_date', 'completed_at': 'completed_date', 'follow_up': 'followup', 'created_at': 'created'
        }
    ) }}
) as records
{{ field_values('records.data_values', fields) }}
