{# Tables that are rebuilt whole keep their identity: their rows are replaced in one transaction.

   dbt's `table` makes a new table, then drops the old one with everything that stands on it: after a reference run the
   reporting views would be gone until the next monthly run. Deleting and inserting leaves views, grants and indexes in
   place, and a reader sees the old rows or the new ones. A change of a column's type needs `--full-refresh`. #}
{% macro get_incremental_replace_rows_sql(arg_dict) %}
  {%- set columns = get_quoted_csv(arg_dict["dest_columns"] | map(attribute="name")) -%}
  {#- Of two builds at once the second would not see, and so not delete, what the first inserts. Readers go on. -#}
  lock table {{ arg_dict["target_relation"] }} in share row exclusive mode;
  delete from {{ arg_dict["target_relation"] }};
  insert into {{ arg_dict["target_relation"] }} ({{ columns }})
  select {{ columns }} from {{ arg_dict["temp_relation"] }}
{% endmacro %}
