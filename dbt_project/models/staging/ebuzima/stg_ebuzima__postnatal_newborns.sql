select
    {{ clean_key_text('records.postnatal_contact_id') }} as postnatal_contact_id,
    item.position::integer as position,
    {{ clean_key_text("item.value ->> 'uuid'") }} as newborn_id,
    {{ clean_key_integer("item.value ->> 'weightGrams'") }} as weight_g,
    {{ clean_number("item.value ->> 'temperature'") }} as temperature_c,
    array(select jsonb_array_elements_text(jsonb_path_query_array(item.value, '$.dangerSigns[*]'))) as danger_signs,
    {{ clean_key_text('records.facility_code') }} as facility_code,
    {{ clean_moment('records.encounter_at') }} as encounter_at,
    records._partition as partition_start,
    records._load_id as load_id
from {{ standing_rows(source('raw', 'ebuzima_postnatal_contacts'), 'postnatal_contact_id') }} as records
cross join lateral jsonb_array_elements({{ json_items('records.newborns') }})
    with ordinality as item (value, position)
