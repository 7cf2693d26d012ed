{{ config(tags=['reference']) }}

select
    {{ clean_key_text('id') }} as data_element_uid,
    {{ clean_key_text('code') }} as code,
    {{ clean_text('name') }} as name,
    {{ clean_text('short_name') }} as short_name,
    {{ clean_key_text('domain_type') }} as domain_type,
    {{ clean_key_text('value_type') }} as value_type,
    {{ clean_key_text('aggregation_type') }} as aggregation_type,
    coalesce({{ clean_boolean('zero_is_significant') }}, false) as zero_is_significant,
    {{ clean_key_text('category_combo') }} as category_combo_uid,
    {{ provenance() }}
from {{ source('raw', 'hmis_data_elements') }}
