{{ config(tags=['reference']) }}

with units as (
    select
        {{ clean_key_text('id') }} as org_unit_uid,
        {{ clean_key_text('code') }} as code,
        {{ clean_text('name') }} as name,
        {{ clean_text('short_name') }} as short_name,
        {{ clean_key_integer('level') }}::integer as level,
        {{ clean_key_text('path') }} as path,
        {{ clean_key_text('parent') }} as parent_uid,
        {{ clean_date('opening_date') }} as opening_date,
        {{ clean_date('closed_date') }} as closed_date,
        {{ clean_number('longitude') }} as longitude,
        {{ clean_number('latitude') }} as latitude,
        {{ provenance() }}
    from {{ source('raw', 'hmis_organisation_units') }}
)

select
    org_unit_uid,
    code,
    name,
    short_name,
    level,
    path,
    parent_uid,
    opening_date,
    closed_date,
    -- A pair counts only when both halves are on the globe; 0,0 is what an empty form field becomes.
    case when has_position then longitude end as longitude,
    case when has_position then latitude end as latitude,
    load_id,
    source_updated_at
from (
    select
        *,
        longitude between -180 and 180 and latitude between -90 and 90
        and not (longitude = 0 and latitude = 0) as has_position
    from units
) as positioned
