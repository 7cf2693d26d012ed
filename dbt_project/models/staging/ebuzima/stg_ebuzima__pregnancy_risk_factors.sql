select
    {{ clean_key_text('records.pregnancy_id') }} as pregnancy_id,
    item.position::integer as position,
    {{ clean_key_text("item.value #>> '{}'") }} as risk_factor,
    {{ clean_key_text('records.facility_code') }} as facility_code,
    {{ clean_moment('records.registered_at') }} as registered_at,
    records._partition as partition_start,
    records._load_id as load_id
from {{ standing_rows(source('raw', 'ebuzima_pregnancies'), 'pregnancy_id') }} as records
cross join lateral jsonb_array_elements({{ json_items('records.risk_factors') }})
    with ordinality as item (value, position)
