select
    {{ clean_key_text('records.delivery_id') }} as delivery_id,
    item.position::integer as position,
    {{ clean_key_text("item.value #>> '{}'") }} as complication,
    {{ clean_key_text('records.facility_code') }} as facility_code,
    {{ clean_moment('records.delivered_at') }} as delivered_at,
    records._partition as partition_start,
    records._load_id as load_id
from {{ standing_rows(source('raw', 'ebuzima_deliveries'), 'delivery_id') }} as records
cross join lateral jsonb_array_elements({{ json_items('records.complications') }})
    with ordinality as item (value, position)
