{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'cancer_registry', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

{%- set fields = [
    ['cr_unique_id', 'PTGSZmTk3IQ', 'text'],
    ['cr_unique_id_new', 'uWRHiEUPnP7', 'text'],
    ['cr_family_name', 'Uda5alDG8P5', 'text'],
    ['cr_first_name', 'mJ3oYSkDyWz', 'text'],
    ['cr_birth_date', 'm1At2P4UT9e', 'date'],
    ['cr_sex', 'l93yUywzP20', 'key'],
    ['cr_nationality', 'Yp8W95xlxMv', 'key'],
    ['cr_nid', 'LbuO5oeODsy', 'text'],
    ['cr_passport', 'T5aUNr4USlR', 'text'],
    ['cr_phone', 'FnMU91XgauR', 'text'],
    ['cr_kin_name', 'x14Nmu1K0Fs', 'text'],
    ['cr_kin_phone', 'qV4KHPrdLwJ', 'text'],
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
        'cancer',
        key='tracked_entity',
        columns=[
            'tracked_entity', 'tracked_entity_type', 'org_unit', 'inactive', 'created_at', 'geometry',
            'attributes'
        ],
        unified=source('raw', 'u_cancer_registry_tracked_entities'),
        legacy=source('raw', 'cancer_registry_tracked_entities'),
        renamed={
            'tracked_entity': 'tracked_entity_instance', 'created_at': 'created'
        }
    ) }}
) as records
{{ field_values('records.attributes', fields) }}
