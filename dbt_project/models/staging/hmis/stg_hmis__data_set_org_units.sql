{{ config(tags=['reference'], indexes=[{'columns': ['data_set_uid', 'org_unit_uid']}]) }}

select
    {{ clean_key_text('data_set') }} as data_set_uid,
    {{ clean_key_text('org_unit') }} as org_unit_uid,
    {{ provenance() }}
from {{ source('raw', 'hmis_data_set_org_units') }}
