{{ config(tags=['reference'], indexes=[{'columns': ['org_unit_uid'], 'unique': true}]) }}

-- DHIS2's level is depth alone: a facility entered straight below its district or sub-district stands a level or two
-- too high. One that has a facility type and nothing below it is a facility wherever it hangs under a district.
with typed as (
    select distinct org_unit_uid
    from {{ ref('stg_hmis__organisation_unit_group_members') }}
    where lower(group_set_name) = 'facility type'
),

parents as (
    select distinct parent_uid as org_unit_uid
    from {{ ref('stg_hmis__organisation_units') }}
    where parent_uid is not null
)

select
    units.org_unit_uid,
    units.level,
    case
        when levels.role in ('sub_district', 'sector')
            and typed.org_unit_uid is not null
            and parents.org_unit_uid is null
            then 'facility'
        else coalesce(levels.role, 'other')
    end as role
from {{ ref('stg_hmis__organisation_units') }} as units
left join {{ ref('geographic_level') }} as levels on units.level = levels.level
left join typed on units.org_unit_uid = typed.org_unit_uid
left join parents on units.org_unit_uid = parents.org_unit_uid
