{{ config(tags=['reference']) }}

select
    {{ clean_key_text('id') }} as indicator_uid,
    {{ clean_key_text('code') }} as code,
    {{ clean_text('name') }} as name,
    {{ clean_text('short_name') }} as short_name,
    {{ clean_text('description') }} as description,
    {{ clean_text('indicator_type') }} as indicator_type,
    {{ clean_number('factor') }} as factor,
    coalesce({{ clean_boolean('annualized') }}, false) as is_annualized,
    {{ clean_key_integer('decimals') }}::integer as decimals,
    {{ clean_text('numerator') }} as numerator_expression,
    {{ clean_text('numerator_description') }} as numerator_description,
    {{ clean_text('denominator') }} as denominator_expression,
    {{ clean_text('denominator_description') }} as denominator_description,
    {{ provenance() }}
from {{ source('raw', 'hmis_indicators') }}
