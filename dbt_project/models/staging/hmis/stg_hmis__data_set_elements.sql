{{ config(tags=['reference']) }}

select
    {{ clean_key_text('data_set') }} as data_set_uid,
    {{ clean_key_text('data_element') }} as data_element_uid,
    {{ clean_key_text('category_combo') }} as category_combo_uid,
    {{ provenance() }}
from {{ source('raw', 'hmis_data_set_elements') }}
