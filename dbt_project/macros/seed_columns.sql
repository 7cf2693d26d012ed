{# Run before a seed is loaded: dbt empties its table and fills it again, and does not give it the columns that the file has gained since.
   Types are those that the seed's `column_types` say. #}
{% macro add_seed_columns() -%}
  {%- set held = load_relation(this) if execute else none -%}
  {%- if held -%}
    {%- set there = adapter.get_columns_in_relation(held) | map(attribute='name') | list -%}
    {%- set missing = [] -%}
    {%- for name, type in model.config.get('column_types', {}).items() if name not in there -%}
      {%- do missing.append('add column ' ~ adapter.quote(name) ~ ' ' ~ type) -%}
    {%- endfor -%}
    {%- if missing -%}
      alter table {{ held }} {{ missing | join(', ') }}
    {%- endif -%}
  {%- endif -%}
{%- endmacro %}
