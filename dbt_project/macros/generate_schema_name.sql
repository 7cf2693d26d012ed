{# Schemas are exactly the names of the layers; dbt's own macro would prefix them with the profile's schema. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
