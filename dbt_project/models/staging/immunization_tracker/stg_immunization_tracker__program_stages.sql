{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'immunization_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

select
    {{ clean_key_text('id') }} as program_stage_uid,
    {{ clean_key_text('program') }} as program_uid,
    {{ clean_text('name') }} as name,
    coalesce({{ clean_boolean('repeatable') }}, false) as is_repeatable,
    {{ clean_key_integer('sort_order') }}::integer as sort_order,
    {{ provenance() }}
from {{ source('raw', 'immunization_tracker_program_stages') }}
