{{ config(tags=['reference'], indexes=[{'columns': ['fosa_code']}]) }}

select
    facilities.facility_uid,
    facilities.fosa_code,
    facilities.fosa_code is not null
    and count(*) over (partition by facilities.fosa_code) = 1 as is_fosa_unique,
    facilities.name,
    {{ facility_name_key('facilities.name') }} as name_key,
    {{ spelling_key(facility_name_key('facilities.name')) }} as spelling_key,
    {{ facility_kind_of_type('facilities.facility_type_code') }} as kind,
    units.district_uid,
    {{ district_name_key('units.district_name') }} as district_key
from {{ ref('int_facility_registry') }} as facilities
left join {{ ref('int_org_unit') }} as units on facilities.facility_uid = units.org_unit_uid
