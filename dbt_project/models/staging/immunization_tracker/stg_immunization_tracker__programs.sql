{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'immunization_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

select
    {{ clean_key_text('id') }} as program_uid,
    {{ clean_key_text('code') }} as code,
    {{ clean_text('name') }} as name,
    {{ clean_text('short_name') }} as short_name,
    {{ clean_key_text('program_type') }} as program_type,
    {{ clean_key_text('tracked_entity_type') }} as tracked_entity_type_uid,
    {{ provenance() }}
from {{ source('raw', 'immunization_tracker_programs') }}
