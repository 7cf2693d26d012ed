{# Tables that are rebuilt whole keep their identity: their rows are replaced in one transaction.

   dbt's `table` makes a new table, then drops the old one with everything that stands on it: after a reference run the
   reporting views would be gone until the next monthly run. Deleting and inserting leaves views, grants and indexes in
   place, and a reader sees the old rows or the new ones. A change of a column's type needs `--full-refresh`. #}
{% macro get_incremental_replace_rows_sql(arg_dict) %}
  {{ replace_in_place(arg_dict) }}
{% endmacro %}
