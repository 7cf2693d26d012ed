{# What stands in facts for a person's record in a source: a keyed hash of the source's own number, the same in every
   table. `source` is the programme or system, as in dwh.dim_patient_source; `record` an expression. The key is a setting of
   the session (hic_assets/identity/pseudonym.py). #}
{% macro patient_source_key(source, record) -%}
  identity.pseudonym('{{ source }}', ({{ record }})::text)
{%- endmacro %}

{# The source's own number of a person, where a system has no resource of patients but visits: the file that a facility
   keeps of somebody, else the visit alone. #}
{% macro file_of_facility(facility, file_number, record) -%}
  coalesce({{ facility }} || '/' || {{ file_number }}, 'record/' || {{ record }})
{%- endmacro %}
