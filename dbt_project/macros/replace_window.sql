{# Replaces the month instead of merging into it.

   dbt-postgres turns `microbatch` into a MERGE, so a row that vanished at the source would stay in the mart for ever.
   Delete and insert run in one transaction: a reader sees the old month or the new one. With a `unique_key` a record that
   was moved leaves its old month at once (see replace_weeks). #}
{% macro postgres__get_incremental_microbatch_sql(arg_dict) %}
  {%- set target_relation = arg_dict["target_relation"] -%}
  {%- set columns = get_quoted_csv(arg_dict["dest_columns"] | map(attribute="name")) -%}
  {%- set event_time = model.config.event_time -%}
  {%- set format = "%Y-%m-%d %H:%M:%S" -%}
  {#- As in replace_rows: the second of two builds at once waits here, and then sees what the first inserted. -#}
  lock table {{ target_relation }} in share row exclusive mode;
  delete from {{ target_relation }}
  where {{ event_time }} >= timestamp '{{ model.batch.event_time_start.strftime(format) }}'
    and {{ event_time }} < timestamp '{{ model.batch.event_time_end.strftime(format) }}';
  {{ delete_moved(arg_dict) }}
  insert into {{ target_relation }} ({{ columns }})
  select {{ columns }} from {{ arg_dict["temp_relation"] }}
{% endmacro %}
