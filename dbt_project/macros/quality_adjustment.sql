{# What each of the `gaps` (missing months, or outliers) may be replaced by: means over the months of `series` around it,
   and over all of them. Both are relations with org_unit_uid, indicator_id and `month`, a number that grows by one a month;
   `series` has only the months that may be used, with their count in `column`. A mean that would reach over an end of the
   series, `first_month` and `last_month` of the gap, is NULL.

   The month itself is no part of the series, so seven months around it are six neighbours, three on either side. The
   published code takes six, from two before to three after. #}
{% macro quality_replacements(gaps, series, column) -%}
  {%- set before = 2 if quality_as_published() else 3 -%}
    select
        gap.org_unit_uid,
        gap.indicator_id,
        gap.month,
        case
            when gap.month - {{ before }} >= gap.first_month and gap.month + 3 <= gap.last_month
                then avg(other.{{ column }}) filter (
                    where other.month between gap.month - {{ before }} and gap.month + 3
                )
        end as centred,
        case
            when gap.month + 5 <= gap.last_month
                then avg(other.{{ column }}) filter (where other.month between gap.month and gap.month + 5)
        end as forward,
        case
            when gap.month - 5 >= gap.first_month
                then avg(other.{{ column }}) filter (where other.month between gap.month - 5 and gap.month)
        end as backward,
        avg(other.{{ column }}) filter (where other.month = gap.month - 12) as last_year,
        avg(other.{{ column }}) as overall
    from {{ gaps }} as gap
    inner join {{ series }} as other
        on gap.org_unit_uid = other.org_unit_uid and gap.indicator_id = other.indicator_id
    group by gap.org_unit_uid, gap.indicator_id, gap.month, gap.first_month, gap.last_month
{%- endmacro %}

{# The name of the first of the candidates that is there; NULL when none is. #}
{% macro quality_step(candidates) -%}
  case
    {%- for candidate in candidates %} when {{ candidate }} is not null then '{{ candidate.split('.')[-1] }}'{% endfor %} end
{%- endmacro %}
