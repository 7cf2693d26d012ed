select
    {{ clean_key_text('stock_movement_id') }} as stock_movement_id,
    {{ clean_key_text('facility_code') }} as facility_code,
    {{ clean_text('facility_name') }} as facility_name,
    {{ clean_slashed_date('movement_date') }} as movement_date,
    {{ clean_key_text('product_code') }} as product_code,
    {{ clean_text('product_label') }} as product_label,
    {{ clean_key_text('movement_type') }} as movement_type,
    {{ clean_key_integer('quantity') }} as quantity,
    {{ clean_text('unit') }} as unit,
    {{ clean_key_text('lot_number') }} as lot_number,
    {{ clean_slashed_date('expiry_date') }} as expiry_date,
    {{ clean_slashed_time('created_at') }} as created_at,
    records._partition as partition_start,
    {{ provenance() }}
from {{ standing_rows(source('raw', 'efiche_stock_movements'), 'stock_movement_id') }} as records
