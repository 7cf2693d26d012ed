{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'hmis_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{%- set fields = [
    ['upi', 'GMyg8RaQRpU', 'text'],
    ['surname', 'jODWpD7IpTr', 'text'],
    ['given_name', 'Dbsjjj6FuVL', 'text'],
    ['sex', 'UB6mKTFw4Ro', 'key'],
    ['birth_date', 'CZ54GKQ14hh', 'date'],
    ['mother_name', 'SJHPiiNdOIH', 'text'],
    ['mother_nid', 'F6UKm8HecZm', 'text'],
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
        'perinatal_death_audit',
        key='tracked_entity',
        columns=[
            'tracked_entity', 'tracked_entity_type', 'org_unit', 'inactive', 'created_at', 'geometry',
            'attributes'
        ],
        unified=source('raw', 'u_hmis_tracker_perinatal_death_audit_tracked_entities'),
        legacy=source('raw', 'hmis_tracker_perinatal_death_audit_tracked_entities'),
        renamed={
            'tracked_entity': 'tracked_entity_instance', 'created_at': 'created'
        }
    ) }}
) as records
{{ field_values('records.attributes', fields) }}
