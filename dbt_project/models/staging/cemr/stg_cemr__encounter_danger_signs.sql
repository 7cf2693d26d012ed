select
    {{ clean_key_text('records.encounter_id') }} as encounter_id,
    item.position::integer as position,
    {{ clean_key_text("item.value #>> '{}'") }} as danger_sign,
    {{ clean_text('records.facility_name') }} as facility_name,
    {{ clean_text('records.facility_district') }} as facility_district,
    {{ clean_date('records.encounter_date') }} as encounter_date,
    records._partition as partition_start,
    records._load_id as load_id
from {{ standing_rows(source('raw', 'cemr_community_encounters'), 'encounter_id') }} as records
cross join lateral jsonb_array_elements({{ json_items('records.danger_signs') }})
    with ordinality as item (value, position)
