{# What all strategies here that replace a part of a table have in common: `where` says which part. Delete and insert run in one
   transaction, so a reader sees the old rows or the new ones; of two builds at once the second waits at the lock, and then sees, and
   deletes, what the first inserted. Readers go on. #}
{% macro replace_in_place(arg_dict, where='true') %}
  {%- set columns = get_quoted_csv(arg_dict["dest_columns"] | map(attribute="name")) -%}
  lock table {{ arg_dict["target_relation"] }} in share row exclusive mode;
  delete from {{ arg_dict["target_relation"] }} where {{ where }};
  {{ delete_moved(arg_dict) }}
  insert into {{ arg_dict["target_relation"] }} ({{ columns }})
  select {{ columns }} from {{ arg_dict["temp_relation"] }}
{% endmacro %}

{# Rows of the target whose key comes again: with a `unique_key`, a record that was moved leaves its old week or month at once. #}
{% macro delete_moved(arg_dict) -%}
  {%- set key = arg_dict.get("unique_key") -%}
  {%- if key -%}
    delete from {{ arg_dict["target_relation"] }} as held
    using {{ arg_dict["temp_relation"] }} as built
    where held.{{ key }} = built.{{ key }};
  {%- endif -%}
{%- endmacro %}
