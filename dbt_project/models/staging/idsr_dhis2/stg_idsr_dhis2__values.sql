select
    {{ clean_key_text('period') }} as period,
    {{ clean_key_text('data_element') }} as data_element_uid,
    {{ clean_key_text('org_unit') }} as org_unit_uid,
    {{ clean_key_text('category_option_combo') }} as category_option_combo_uid,
    {{ clean_key_text('attribute_option_combo') }} as attribute_option_combo_uid,
    value as value_text,
    {{ clean_key_integer('value') }} as value_number,
    coalesce({{ clean_boolean('follow_up') }}, false) as follow_up,
    _partition as partition_start,
    {{ provenance() }}
from {{ source('raw', 'hmis_weekly_values') }}
where deleted is distinct from 'true'
