{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'hiv_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{%- set fields = [
    ['tracnet_id', 'GGUVzHVjwsu', 'text'],
    ['upi', 'XnU5UdJtCvi', 'text'],
    ['nid', 'uEUT216Kz6n', 'text'],
    ['family_name', 'V8zfhJtIJXG', 'text'],
    ['first_name', 'hYM3z8HcMIH', 'text'],
    ['sex', 'qBin51zTNiE', 'key'],
    ['date_of_birth', 'QSUR7nlxaep', 'date'],
    ['dob_estimated', 'Fvwr6MF74tM', 'boolean'],
    ['phone', 'MYGw32Yaec2', 'text'],
    ['district', 'Z6cTv61YnFa', 'text'],
    ['sector', 'xnRjWzlfZrY', 'text'],
    ['marital_status', 'wsBbgFT1IwH', 'key'],
    ['key_population', 'EKRuRmYsrrl', 'key'],
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
        'hiv',
        key='tracked_entity',
        columns=[
            'tracked_entity', 'tracked_entity_type', 'org_unit', 'inactive', 'created_at', 'geometry',
            'attributes'
        ],
        unified=source('raw', 'u_hiv_tracker_tracked_entities'),
        legacy=source('raw', 'hiv_tracker_tracked_entities'),
        renamed={
            'tracked_entity': 'tracked_entity_instance', 'created_at': 'created'
        }
    ) }}
) as records
{{ field_values('records.attributes', fields) }}
