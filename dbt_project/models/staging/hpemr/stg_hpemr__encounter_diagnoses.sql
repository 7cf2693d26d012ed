select
    {{ clean_key_text('records.encounter_id') }} as encounter_id,
    item.position::integer as position,
    {{ clean_key_text("item.value ->> 'code'") }} as diagnosis_code,
    {{ clean_text("item.value ->> 'display'") }} as diagnosis_label,
    {{ clean_boolean("item.value ->> 'primary'") }} as is_primary,
    {{ clean_key_text('records.facility_code') }} as facility_code,
    {{ clean_epoch_ms('records.started_at') }} as started_at,
    records._partition as partition_start,
    records._load_id as load_id
from {{ standing_rows(source('raw', 'hpemr_encounters'), 'encounter_id') }} as records
cross join lateral jsonb_array_elements({{ json_items('records.diagnoses') }})
    with ordinality as item (value, position)
