{{ config(tags=['reference']) }}

select
    {{ clean_key_text('id') }} as data_set_uid,
    {{ clean_key_text('code') }} as code,
    {{ clean_text('name') }} as name,
    {{ clean_text('short_name') }} as short_name,
    {{ clean_key_text('period_type') }} as period_type,
    {{ clean_key_text('category_combo') }} as category_combo_uid,
    {{ clean_number('timely_days') }} as timely_days,
    {{ clean_number('expiry_days') }} as expiry_days,
    {{ clean_key_integer('open_future_periods') }}::integer as open_future_periods,
    {{ provenance() }}
from {{ source('raw', 'hmis_data_sets') }}
