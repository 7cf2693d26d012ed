{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'immunization_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{%- set fields = [
    ['child_id', 'kvJx9TWUulb', 'text'],
    ['child_names', 'WW8EGs4OfdK', 'text'],
    ['gender', 'NgpqAIU6ASD', 'key'],
    ['dob', 'obMuf7NM6Cu', 'date'],
    ['mother_names', 'a3OaZtKGd8s', 'text'],
    ['father_names', 'un7LSPmJ4eQ', 'text'],
    ['parent_phone', 'wrqJRelYOTu', 'text'],
    ['parent_nid', 'MYtJtNGRlFI', 'text'],
    ['residence_district', 'TCWb92wFYb5', 'text'],
    ['residence_sector', 'TlQbKif7wMi', 'text'],
    ['residence_village', 'dlOhPauvi7k', 'text'],
] %}

select
    records.tracked_entity as tracked_entity_uid,
    records.tracked_entity_type as tracked_entity_type_uid,
    records.org_unit as org_unit_uid,
    coalesce({{ clean_boolean('records.inactive') }}, false) as is_inactive,
    {{ as_jsonb('records.geometry') }} as geometry,
    {{ clean_timestamp('records.created_at') }} as created_at,
    records._load_id as load_id,
    records._source_updated_at as source_updated_at,
    fields.document as attributes{{ field_columns(fields) }}
from (
    {{ tracker_rows(
        'immunization',
        key='tracked_entity',
        columns=[
            'tracked_entity', 'tracked_entity_type', 'org_unit', 'inactive', 'created_at', 'geometry',
            'attributes'
        ],
        unified=source('raw', 'u_immunization_tracker_tracked_entities'),
        legacy=source('raw', 'immunization_tracker_tracked_entities'),
        renamed={
            'tracked_entity': 'tracked_entity_instance', 'created_at': 'created'
        }
    ) }}
) as records
{{ field_values('records.attributes', fields) }}
