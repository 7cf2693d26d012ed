{{ config(event_time=none) }}

select
    {{ clean_key_text('disease_code') }} as disease_code,
    {{ clean_text('name_en') }} as name_en,
    {{ clean_text('name_fr') }} as name_fr,
    {{ clean_key_text('disease_reporting') }} as disease_reporting,
    {{ clean_key_text('icd10_code') }} as icd10_code,
    {{ provenance() }}
from {{ source('raw', 'idsr_diseases') }}
