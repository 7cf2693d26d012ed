{# What the planner needs to know and may use. Tables are read seconds after they are made, before PostgreSQL's own
   statistics run; without statistics it plans for a handful of rows. #}
{% macro analyze_table() %}
  {%- if model.config.materialized in ('table', 'incremental') -%}
    analyze {{ this }}
  {%- endif -%}
{% endmacro %}

{# Settings for the transaction that builds one month: memory for its sorts and hashes, and no just-in-time compilation,
   which spends close to a minute compiling the CASE over all indicator expressions to save nothing. And no merge joins: of CTEs PostgreSQL
   expects a row or two, merges by one key and looks at the others row by row, in a time that grows with the square (IDSR's weeks: 12 times). #}
{% macro month_settings() -%}
  set local work_mem = '64MB'; set local jit = off; set local enable_mergejoin = off;
{%- endmacro %}
