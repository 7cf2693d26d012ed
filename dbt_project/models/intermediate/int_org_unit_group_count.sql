{{ config(tags=['reference']) }}

select
    members.group_uid,
    closure.ancestor_uid as org_unit_uid,
    closure.ancestor_role as level,
    count(distinct members.org_unit_uid) as units
from {{ ref('stg_hmis__organisation_unit_group_members') }} as members
inner join {{ ref('int_org_unit_closure') }} as closure
    on members.org_unit_uid = closure.descendant_uid and closure.is_reporting_level
group by members.group_uid, closure.ancestor_uid, closure.ancestor_role
