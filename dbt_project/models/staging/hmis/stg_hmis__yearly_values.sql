{{ config(tags=['reference']) }}

select
    {{ clean_key_integer('period') }}::integer as year,
    {{ clean_key_text('data_element') }} as data_element_uid,
    {{ clean_key_text('org_unit') }} as org_unit_uid,
    {{ clean_key_text('category_option_combo') }} as category_option_combo_uid,
    {{ clean_key_text('attribute_option_combo') }} as attribute_option_combo_uid,
    value as value_text,
    {{ clean_number('value') }} as value_number,
    {{ provenance() }}
from {{ source('raw', 'hmis_yearly_values') }}
where deleted is distinct from 'true'
    and period ~ '^\s*[12]\d{3}\s*$'
