{{ config(event_time=none) }}

select
    {{ clean_key_text('code') }} as code,
    {{ clean_text('label_en') }} as label_en,
    {{ clean_text('label_rw') }} as label_rw,
    {{ clean_key_text('reference_system') }} as reference_system,
    {{ clean_key_text('reference_code') }} as reference_code,
    {{ provenance() }}
from {{ source('raw', 'hpemr_diagnosis_codes') }}
