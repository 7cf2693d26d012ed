{{ config(event_time=none) }}

select
    {{ clean_key_text('code') }} as code,
    {{ clean_text('label_fr') }} as label_fr,
    {{ clean_text('label_en') }} as label_en,
    {{ clean_key_text('reference_system') }} as reference_system,
    {{ clean_key_text('reference_code') }} as reference_code,
    {{ provenance() }}
from {{ source('raw', 'efiche_diagnosis_codes') }}
