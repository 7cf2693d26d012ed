{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    event_time='partition_start',
    meta={'dagster': {'group': 'hmis_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

select
    records.enrollment as enrollment_uid,
    records.tracked_entity as tracked_entity_uid,
    records.program as program_uid,
    records.org_unit as org_unit_uid,
    records.status as status,
    records._partition as partition_start,
    {{ clean_date('records.enrolled_at') }} as enrolled_date,
    {{ clean_date('records.occurred_at') }} as occurred_date,
    {{ clean_timestamp('records.completed_at') }} as completed_at,
    coalesce({{ clean_boolean('records.follow_up') }}, false) as follow_up,
    {{ as_jsonb('records.geometry') }} as geometry,
    {{ clean_timestamp('records.created_at') }} as created_at,
    records._load_id as load_id,
    records._source_updated_at as source_updated_at
from (
    {{ tracker_rows(
        'maternal_death_audit',
        key='enrollment',
        columns=[
            'enrollment', 'tracked_entity', 'program', 'org_unit', 'status', 'enrolled_at', 'occurred_at',
            'completed_at', 'follow_up', 'created_at', 'geometry'
        ],
        unified=source('raw', 'u_hmis_tracker_maternal_death_audit_enrollments'),
        legacy=source('raw', 'hmis_tracker_maternal_death_audit_enrollments'),
        renamed={
            'tracked_entity': 'tracked_entity_instance', 'enrolled_at': 'enrollment_date', 'occurred_at':
            'incident_date', 'completed_at': 'completed_date', 'follow_up': 'followup', 'created_at':
            'created'
        }
    ) }}
) as records
