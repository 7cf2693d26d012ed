{{ config(tags=['reference']) }}

select
    {{ clean_key_integer('level') }}::integer as level,
    {{ clean_text('name') }} as name,
    {{ provenance() }}
from {{ source('raw', 'hmis_organisation_unit_levels') }}
