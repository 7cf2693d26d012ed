{{ config(event_time=none) }}

select
    {{ clean_key_text('code') }} as code,
    {{ clean_text('label') }} as label,
    {{ clean_text('unit') }} as unit,
    {{ provenance() }}
from {{ source('raw', 'hpemr_product_codes') }}
