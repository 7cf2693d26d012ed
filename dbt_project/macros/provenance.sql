{# Where a staged row comes from: the load that landed it and the source's own time of last change. #}
{% macro provenance() -%}
  _load_id as load_id,
  _source_updated_at as source_updated_at
{%- endmacro %}
