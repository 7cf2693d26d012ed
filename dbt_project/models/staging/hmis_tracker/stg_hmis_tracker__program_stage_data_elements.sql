{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'hmis_tracker', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

select
    {{ clean_key_text('program_stage') }} as program_stage_uid,
    {{ clean_key_text('data_element') }} as data_element_uid,
    {{ clean_key_text('program') }} as program_uid,
    {{ clean_key_text('code') }} as code,
    {{ clean_text('name') }} as name,
    {{ clean_text('form_name') }} as form_name,
    {{ clean_key_text('value_type') }} as value_type,
    {{ clean_key_text('option_set') }} as option_set_uid,
    coalesce({{ clean_boolean('compulsory') }}, false) as is_compulsory,
    {{ clean_key_integer('sort_order') }}::integer as sort_order,
    {{ provenance() }}
from {{ source('raw', 'hmis_tracker_program_stage_data_elements') }}
