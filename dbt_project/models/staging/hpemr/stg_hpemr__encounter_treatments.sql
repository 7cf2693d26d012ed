select
    {{ clean_key_text('records.encounter_id') }} as encounter_id,
    item.position::integer as position,
    {{ clean_key_text("item.value ->> 'code'") }} as product_code,
    {{ clean_text("item.value ->> 'display'") }} as product_label,
    {{ clean_number("item.value ->> 'quantity'") }} as quantity,
    {{ clean_text("item.value ->> 'unit'") }} as unit,
    {{ clean_key_integer("item.value ->> 'days'") }} as days,
    {{ clean_key_text('records.facility_code') }} as facility_code,
    {{ clean_epoch_ms('records.started_at') }} as started_at,
    records._partition as partition_start,
    records._load_id as load_id
from {{ standing_rows(source('raw', 'hpemr_encounters'), 'encounter_id') }} as records
cross join lateral jsonb_array_elements({{ json_items('records.treatments') }})
    with ordinality as item (value, position)
