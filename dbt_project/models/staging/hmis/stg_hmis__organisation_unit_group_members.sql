{{ config(tags=['reference']) }}

select
    {{ clean_key_text('group_set') }} as group_set_uid,
    {{ clean_text('group_set_name') }} as group_set_name,
    {{ clean_key_text('group_id') }} as group_uid,
    {{ clean_key_text('group_code') }} as group_code,
    {{ clean_text('group_name') }} as group_name,
    {{ clean_key_text('org_unit') }} as org_unit_uid,
    {{ provenance() }}
from {{ source('raw', 'hmis_organisation_unit_group_members') }}
