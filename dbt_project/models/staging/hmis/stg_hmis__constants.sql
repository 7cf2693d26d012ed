{{ config(tags=['reference']) }}

select
    {{ clean_key_text('id') }} as constant_uid,
    {{ clean_key_text('code') }} as code,
    {{ clean_text('name') }} as name,
    {{ clean_number('value') }} as value,
    {{ provenance() }}
from {{ source('raw', 'hmis_constants') }}
