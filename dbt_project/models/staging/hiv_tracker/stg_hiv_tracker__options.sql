{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'hiv_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

select
    {{ clean_key_text('option_set') }} as option_set_uid,
    {{ clean_key_text('code') }} as code,
    {{ clean_text('option_set_name') }} as option_set_name,
    {{ clean_text('name') }} as name,
    {{ clean_key_integer('sort_order') }}::integer as sort_order,
    {{ provenance() }}
from {{ source('raw', 'hiv_tracker_options') }}
