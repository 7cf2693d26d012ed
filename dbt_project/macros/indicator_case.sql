{# The compiled expressions as one CASE over the side rows of fct_indicator_value.

   Each branch is the `sql` the compiler wrote for one side of one indicator: a scalar over o1..on (the side's operands
   in order) and days. The expressions are read at run time, so they are those of the metadata just loaded. #}

{% macro compiled_sides() %}
  {%- set query -%}
    select sides.indicator_uid, sides.side, sides.sql, coalesce(array_length(sides.operands, 1), 0) as operand_count
    from {{ ref('stg_ops__indicator_sql') }} as sides
    inner join {{ ref('stg_hmis__indicators') }} as indicators on sides.indicator_uid = indicators.indicator_uid
    where sides.sql is not null and sides.side in ('numerator', 'denominator')
    order by sides.indicator_uid, sides.side
  {%- endset -%}
  {{ return(run_query(query).rows if execute else []) }}
{% endmacro %}

{% macro operand_columns(sides) %}
  {%- set widest = [1] -%}
  {%- for side in sides %}{% do widest.append(side["operand_count"] | int) %}{% endfor -%}
  {{ return(range(1, (widest | max) + 1)) }}
{% endmacro %}

{% macro indicator_case(sides) -%}
  case
    {%- for side in sides %}
    when sides.indicator_uid = '{{ side["indicator_uid"] | replace("'", "''") }}' and sides.side = '{{ side["side"] }}'
      then ({{ side["sql"] }})::double precision
    {%- endfor %}
    else null::double precision
  end
{%- endmacro %}
