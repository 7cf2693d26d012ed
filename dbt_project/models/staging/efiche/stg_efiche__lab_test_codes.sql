{{ config(event_time=none) }}

select
    {{ clean_key_text('code') }} as code,
    {{ clean_text('label_fr') }} as label_fr,
    {{ clean_text('label_en') }} as label_en,
    {{ clean_key_text('result_type') }} as result_type,
    {{ clean_text('unit') }} as unit,
    {{ clean_key_text('loinc_code') }} as loinc_code,
    {{ provenance() }}
from {{ source('raw', 'efiche_lab_test_codes') }}
