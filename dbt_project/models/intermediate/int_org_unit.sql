{{ config(tags=['reference'], indexes=[{'columns': ['org_unit_uid'], 'unique': true}]) }}

with ancestors as (
    select
        closure.descendant_uid,
        {%- for role in ['country', 'province', 'district', 'sub_district', 'sector'] %}
        max(closure.ancestor_uid) filter (where closure.ancestor_role = '{{ role }}') as {{ role }}_uid,
        max(parents.name) filter (where closure.ancestor_role = '{{ role }}') as {{ role }}_name{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref('int_org_unit_closure') }} as closure
    left join {{ ref('stg_hmis__organisation_units') }} as parents on closure.ancestor_uid = parents.org_unit_uid
    group by closure.descendant_uid
)

select
    units.org_unit_uid,
    units.code,
    units.name,
    units.level,
    roles.role,
    level_names.name as level_name,
    units.path,
    units.parent_uid,
    units.opening_date,
    units.closed_date,
    units.longitude,
    units.latitude,
    ancestors.country_uid,
    ancestors.province_uid,
    ancestors.province_name,
    ancestors.district_uid,
    ancestors.district_name,
    ancestors.sub_district_uid,
    ancestors.sub_district_name,
    ancestors.sector_uid,
    ancestors.sector_name
from {{ ref('stg_hmis__organisation_units') }} as units
left join ancestors on units.org_unit_uid = ancestors.descendant_uid
inner join {{ ref('int_org_unit_role') }} as roles on units.org_unit_uid = roles.org_unit_uid
left join {{ ref('stg_hmis__organisation_unit_levels') }} as level_names on units.level = level_names.level
