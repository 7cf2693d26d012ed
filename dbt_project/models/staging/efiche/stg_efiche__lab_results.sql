select
    {{ clean_key_text('records.lab_order_id') }} as lab_order_id,
    item.position::integer as position,
    {{ clean_key_text("item.value ->> 'test_code'") }} as test_code,
    {{ clean_text("item.value ->> 'label'") }} as test_label,
    {{ clean_number("item.value ->> 'value_numeric'") }} as value_number,
    {{ clean_text("item.value ->> 'value_text'") }} as value_text,
    {{ clean_text("item.value ->> 'unit'") }} as unit,
    {{ clean_number("item.value ->> 'range_low'") }} as range_low,
    {{ clean_number("item.value ->> 'range_high'") }} as range_high,
    {{ clean_key_text("item.value ->> 'flag'") }} as flag,
    {{ clean_key_text('records.facility_code') }} as facility_code,
    {{ clean_slashed_date('records.ordered_on') }} as ordered_on,
    records._partition as partition_start,
    records._load_id as load_id
from {{ standing_rows(source('raw', 'efiche_lab_orders'), 'lab_order_id') }} as records
cross join lateral jsonb_array_elements({{ json_items('records.results') }})
    with ordinality as item (value, position)
