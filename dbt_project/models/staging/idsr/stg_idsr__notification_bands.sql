select
    {{ clean_key_text('records.notification_id') }} as notification_id,
    item.position::integer as position,
    {{ clean_key_text("item.value ->> 'ageGroup'") }} as age_band,
    {{ clean_key_integer("item.value ->> 'cases'") }} as cases,
    {{ clean_key_integer("item.value ->> 'deaths'") }} as deaths,
    {{ clean_key_text('records.facility_code') }} as facility_code,
    {{ clean_key_text('records.disease_code') }} as disease_code,
    {{ clean_date('records.week_start') }} as week_start,
    records._partition as partition_start,
    records._load_id as load_id
from {{ standing_rows(source('raw', 'idsr_notifications'), 'notification_id') }} as records
cross join lateral jsonb_array_elements({{ json_items('records.age_groups') }})
    with ordinality as item (value, position)
