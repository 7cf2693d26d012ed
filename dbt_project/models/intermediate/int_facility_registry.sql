{{ config(tags=['reference']) }}

-- Type and ownership are group sets in DHIS2. A unit in two groups of a set takes the first by code, so that the
-- registry keeps one row a facility; a test counts such units.
with types as (
    select
        members.org_unit_uid,
        min(coalesce(by_code.facility_type_code, by_name.facility_type_code)) as facility_type_code,
        min(members.group_name) as facility_type_source
    from {{ ref('stg_hmis__organisation_unit_group_members') }} as members
    left join {{ ref('facility_type_alias') }} as by_code on lower(members.group_code) = by_code.alias
    left join {{ ref('facility_type_alias') }} as by_name on lower(members.group_name) = by_name.alias
    where lower(members.group_set_name) = 'facility type'
    group by members.org_unit_uid
),

owners as (
    select
        members.org_unit_uid,
        min(coalesce(by_code.ownership_code, by_name.ownership_code)) as ownership_code
    from {{ ref('stg_hmis__organisation_unit_group_members') }} as members
    left join {{ ref('ownership_alias') }} as by_code on lower(members.group_code) = by_code.alias
    left join {{ ref('ownership_alias') }} as by_name on lower(members.group_name) = by_name.alias
    where lower(members.group_set_name) = 'ownership'
    group by members.org_unit_uid
)

select
    units.org_unit_uid as facility_uid,
    units.code as source_code,
    {{ fosa_code('units.code') }} as fosa_code,
    units.name,
    units.path,
    coalesce(types.facility_type_code, 'UNMAPPED') as facility_type_code,
    types.facility_type_source,
    coalesce(owners.ownership_code, 'UNMAPPED') as ownership_code,
    units.latitude,
    units.longitude,
    units.opening_date,
    units.closed_date
from {{ ref('int_org_unit') }} as units
left join types on units.org_unit_uid = types.org_unit_uid
left join owners on units.org_unit_uid = owners.org_unit_uid
where units.role = 'facility'
