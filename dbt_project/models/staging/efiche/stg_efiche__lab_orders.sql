select
    {{ clean_key_text('lab_order_id') }} as lab_order_id,
    {{ clean_key_text('facility_code') }} as facility_code,
    {{ clean_text('facility_name') }} as facility_name,
    {{ clean_slashed_date('ordered_on') }} as ordered_on,
    {{ clean_key_text('visit_id') }} as visit_id,
    {{ clean_key_text('file_number') }} as file_number,
    {{ clean_key_text('upi') }} as upi,
    {{ clean_key_text('sex') }} as sex,
    {{ clean_key_integer('age_years') }} as age_years,
    {{ clean_key_text('specimen') }} as specimen,
    {{ clean_key_text('status') }} as status,
    {{ clean_slashed_time('created_at') }} as created_at,
    records._partition as partition_start,
    {{ provenance() }}
from {{ standing_rows(source('raw', 'efiche_lab_orders'), 'lab_order_id') }} as records
