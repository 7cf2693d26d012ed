{{ config(tags=['reference']) }}

select
    {{ clean_key_text('id') }} as category_option_combo_uid,
    {{ clean_key_text('code') }} as code,
    {{ clean_text('name') }} as name,
    {{ clean_key_text('category_combo') }} as category_combo_uid,
    {{ clean_text('category_combo_name') }} as category_combo_name,
    {{ provenance() }}
from {{ source('raw', 'hmis_category_option_combos') }}
