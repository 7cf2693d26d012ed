{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'hiv_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

select
    {{ clean_key_text('program') }} as program_uid,
    {{ clean_key_text('attribute') }} as attribute_uid,
    {{ clean_key_text('code') }} as code,
    {{ clean_text('name') }} as name,
    {{ clean_key_text('value_type') }} as value_type,
    {{ clean_key_text('option_set') }} as option_set_uid,
    coalesce({{ clean_boolean('"unique"') }}, false) as is_unique,
    coalesce({{ clean_boolean('mandatory') }}, false) as is_mandatory,
    coalesce({{ clean_boolean('confidential') }}, false) as is_confidential,
    {{ clean_key_integer('sort_order') }}::integer as sort_order,
    {{ provenance() }}
from {{ source('raw', 'hiv_tracker_program_attributes') }}
