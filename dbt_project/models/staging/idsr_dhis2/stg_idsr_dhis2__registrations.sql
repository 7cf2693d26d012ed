select
    {{ clean_key_text('period') }} as period,
    {{ clean_key_text('data_set') }} as data_set_uid,
    {{ clean_key_text('org_unit') }} as org_unit_uid,
    {{ clean_key_text('attribute_option_combo') }} as attribute_option_combo_uid,
    {{ clean_date('date') }} as completed_date,
    coalesce({{ clean_boolean('completed') }}, true) as is_completed,
    _partition as partition_start,
    {{ provenance() }}
from {{ source('raw', 'hmis_weekly_registrations') }}
