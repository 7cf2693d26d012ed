{{ config(tags=['reference']) }}

select
    {{ clean_key_text('category_option_combo') }} as category_option_combo_uid,
    {{ clean_key_text('category_option') }} as category_option_uid,
    {{ clean_key_text('category_option_code') }} as category_option_code,
    {{ clean_text('category_option_name') }} as category_option_name,
    {{ clean_key_text('category') }} as category_uid,
    {{ clean_text('category_name') }} as category_name,
    {{ provenance() }}
from {{ source('raw', 'hmis_category_option_combo_options') }}
