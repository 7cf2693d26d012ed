{# Which places of sensitive counts may be shown (docs/indicators.md has the rule, and why it suffices). `cells` is a CTE with
   suppression_group, atom_start, org_unit_uid, series and value: every place, and above it what it adds up to, in every
   atom of time. Goes on after it: the CTEs that follow, and the selection. `totals` is series -> its parts, of totals that somebody may
   know of a place where this group is not shown: another group or report counts them, by another rule. #}
{% macro shown_places(cells, totals={}) -%}
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
    -- What no place in the registry has counts nowhere above: it is no part of the country, and never shown.
    where cells.org_unit_uid in (
        select descendant_uid from {{ ref('int_org_unit_closure') }} where is_reporting_level
    )
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

{% if totals -%}
known as (
    select * from (
        values
        {%- for total, parts in totals.items() %}{% set last = loop.last %}
        {%- for part in parts %}
        ('{{ total }}', '{{ part }}'){{ ',' if not (last and loop.last) }}
        {%- endfor %}
        {%- endfor %}
    ) as pairs (total, part)
),

sides as (
    select
        parts.suppression_group,
        parts.atom_start,
        parts.org_unit_uid,
        parts.parent_uid,
        known.total,
        known.part,
        parts.value as part_value,
        totals.value as total_value
    from placed as parts
    inner join known on parts.series = known.part
    inner join placed as totals
        on parts.suppression_group = totals.suppression_group
        and parts.atom_start = totals.atom_start
        and parts.org_unit_uid = totals.org_unit_uid
        and known.total = totals.series
),

-- Shown, these would tell of a place below them that its small part is not 0: the others are too few to have all of the part.
telling as (
    select distinct whole.suppression_group, whole.atom_start, whole.parent_uid
    from sides as below
    inner join {{ ref('int_org_unit_closure') }} as closure
        on below.org_unit_uid = closure.descendant_uid
        and closure.is_reporting_level
        and closure.ancestor_uid <> closure.descendant_uid
    inner join sides as whole
        on below.suppression_group = whole.suppression_group
        and below.atom_start = whole.atom_start
        and below.total = whole.total
        and below.part = whole.part
        and closure.ancestor_uid = whole.org_unit_uid
    where below.part_value > 0
        and below.part_value < {{ small_cell_threshold() }}
        and below.total_value >= {{ small_cell_threshold() }}
        and below.total_value > whole.total_value - whole.part_value
),
{%- endif %}

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
        {%- if totals %}
        union all
        select suppression_group, atom_start, parent_uid, 1 from telling
        {%- endif %}
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

{# Whether codes of data elements (joined by |) count cases of a sensitive indicator: reported in rpt_core_indicators only, where small
   ones are kept back. #}
{% macro counts_sensitive(codes) -%}
exists (
        select from {{ ref('measure_source') }} as sources
        inner join {{ ref('measure') }} as measures
            on sources.measure_code = measures.measure_code and measures.kind <> 'population'
        inner join {{ ref('indicator_measure') }} as terms on sources.measure_code = terms.measure_code
        inner join {{ ref('indicator_catalogue') }} as catalogue
            on terms.indicator_code = catalogue.indicator_code and catalogue.is_sensitive
        where sources.data_element_code = any(string_to_array({{ codes }}, '|'))
    )
{%- endmacro %}

{# The indicators of quality, and whether counts of them may be told in its reports. Use it in a CTE `as materialized`: PostgreSQL
   would ask it of every row that is joined to it. #}
{% macro quality_indicators() -%}
select *, {{ counts_sensitive('data_element_codes') }} as is_sensitive from {{ ref('quality_indicator') }}
{%- endmacro %}
