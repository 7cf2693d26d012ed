{# Which places of sensitive counts may be shown (docs/indicators.md has the rule, and why it suffices). `cells` is a CTE with
   suppression_group, atom_start, org_unit_uid, series and value: every place, and above it what it adds up to, in every
   atom of time. Goes on after it: the CTEs that follow, and the selection. #}
{% macro shown_places(cells) -%}
parents as (
    select distinct on (descendant_uid) descendant_uid as org_unit_uid, ancestor_uid as parent_uid
    from {{ ref('int_org_unit_closure') }}
    where is_reporting_level and ancestor_uid <> descendant_uid
    order by descendant_uid, ancestor_level desc
),

placed as (
    select cells.*, coalesce(parents.parent_uid, '') as parent_uid
    from {{ cells }} as cells
    left join parents on cells.org_unit_uid = parents.org_unit_uid
),

-- What a place has beside the places below it is one of the parts it is made of.
own as (
    select
        whole.suppression_group,
        whole.atom_start,
        whole.org_unit_uid as parent_uid,
        whole.value - sum(parts.value) as value
    from {{ cells }} as whole
    inner join placed as parts
        on whole.suppression_group = parts.suppression_group
        and whole.atom_start = parts.atom_start
        and whole.series = parts.series
        and whole.org_unit_uid = parts.parent_uid
    group by whole.suppression_group, whole.atom_start, whole.org_unit_uid, whole.series, whole.value
),

families as (
    select
        suppression_group,
        atom_start,
        parent_uid,
        bool_and(value = 0 or abs(value) >= {{ small_cell_threshold() }}) as is_safe
    from (
        select suppression_group, atom_start, parent_uid, value from placed
        union all
        select suppression_group, atom_start, parent_uid, value from own
    ) as parts
    group by suppression_group, atom_start, parent_uid
),

places as (
    select distinct suppression_group, atom_start, org_unit_uid from {{ cells }}
)

-- A place is shown if it, all beside it, and all beside every place above it may be.
select
    places.suppression_group,
    places.org_unit_uid,
    places.atom_start as period_start,
    bool_and(coalesce(families.is_safe, false)) as is_shown
from places
inner join {{ ref('int_org_unit_closure') }} as closure
    on places.org_unit_uid = closure.descendant_uid and closure.is_reporting_level
left join parents on closure.ancestor_uid = parents.org_unit_uid
left join families
    on places.suppression_group = families.suppression_group
    and places.atom_start = families.atom_start
    and coalesce(parents.parent_uid, '') = families.parent_uid
group by places.suppression_group, places.org_unit_uid, places.atom_start
{%- endmacro %}

{# Whether counts of a tracker programme are sensitive: all are, new ones too, but those named here. A choice, to be confirmed. #}
{% macro is_sensitive_programme(programme) -%}
  {{ programme }} not in ('immunization', 'birth_registration')
{%- endmacro %}
