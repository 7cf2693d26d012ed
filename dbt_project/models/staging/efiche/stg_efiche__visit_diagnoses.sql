select
    {{ clean_key_text('records.visit_id') }} as visit_id,
    item.position::integer as position,
    {{ clean_key_text("item.value ->> 'code'") }} as diagnosis_code,
    {{ clean_text("item.value ->> 'label'") }} as diagnosis_label,
    {{ clean_key_text("item.value ->> 'certainty'") }} as certainty,
    {{ clean_key_text('records.facility_code') }} as facility_code,
    {{ clean_slashed_date('records.visit_date') }} as visit_date,
    records._partition as partition_start,
    records._load_id as load_id
from {{ standing_rows(source('raw', 'efiche_visits'), 'visit_id') }} as records
cross join lateral jsonb_array_elements({{ json_items('records.diagnoses') }})
    with ordinality as item (value, position)
