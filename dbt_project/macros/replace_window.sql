{# Replaces the month instead of merging into it.

   dbt-postgres turns `microbatch` into a MERGE, so a row that vanished at the source would stay in the mart for ever.
   Delete and insert run in one transaction: a reader sees the old month or the new one. With a `unique_key` a record that
   was moved leaves its old month at once (see replace_weeks). #}
{% macro postgres__get_incremental_microbatch_sql(arg_dict) %}
  {%- set event_time, format = model.config.event_time, "%Y-%m-%d %H:%M:%S" -%}
  {%- set window -%}
    {{ event_time }} >= timestamp '{{ model.batch.event_time_start.strftime(format) }}'
    and {{ event_time }} < timestamp '{{ model.batch.event_time_end.strftime(format) }}'
  {%- endset -%}
  {{ replace_in_place(arg_dict, window) }}
{% endmacro %}
