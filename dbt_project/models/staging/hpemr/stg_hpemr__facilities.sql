{{ config(event_time=none) }}

select
    {{ clean_key_text('facility_code') }} as facility_code,
    {{ clean_text('name') }} as name,
    {{ clean_text('district') }} as district,
    {{ clean_text('sector') }} as sector,
    {{ clean_key_text('fosa_code') }} as fosa_code,
    {{ provenance() }}
from {{ source('raw', 'hpemr_facilities') }}
