{{ config(
    tags=['reference'],
    indexes=[{'columns': ['descendant_uid', 'ancestor_role']}]
) }}

-- The path of a unit names all its ancestors and itself: one row a member of the path.
select
    units.org_unit_uid as descendant_uid,
    member.ancestor_uid,
    member.ancestor_level::integer as ancestor_level,
    coalesce(roles.role, positions.role, 'other') as ancestor_role,
    coalesce(levels.is_reporting_level, false) as is_reporting_level
from {{ ref('stg_hmis__organisation_units') }} as units
cross join lateral unnest(string_to_array(btrim(units.path, '/'), '/'))
    with ordinality as member (ancestor_uid, ancestor_level)
left join {{ ref('int_org_unit_role') }} as roles on member.ancestor_uid = roles.org_unit_uid
left join {{ ref('geographic_level') }} as positions on member.ancestor_level = positions.level
left join {{ ref('geographic_level') }} as levels on coalesce(roles.role, positions.role) = levels.role
