select
    {{ clean_key_text('records.anc_contact_id') }} as anc_contact_id,
    item.position::integer as position,
    {{ clean_key_text("item.value #>> '{}'") }} as danger_sign,
    {{ clean_key_text('records.facility_code') }} as facility_code,
    {{ clean_moment('records.encounter_at') }} as encounter_at,
    records._partition as partition_start,
    records._load_id as load_id
from {{ standing_rows(source('raw', 'ebuzima_anc_contacts'), 'anc_contact_id') }} as records
cross join lateral jsonb_array_elements({{ json_items('records.danger_signs') }})
    with ordinality as item (value, position)
