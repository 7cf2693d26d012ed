{# The months that a run is for, by their first days; without a window all. #}
{% macro months_of_run(column) -%}
  {{ weeks_of_run(column) }}
{%- endmacro %}

{# Replaces those months, whole, in one transaction, as replace_weeks does weeks: for what is small and summed up. dbt's microbatch
   makes a batch a month, each with its statements, and of a model of some thousand rows a month the batches are all its cost;
   what is large stays with it (replace_window.sql), so that a backfill of years is no single statement of a hundred million rows.
   Each model names its window itself, in every relation with months that it reads: dbt filters for microbatch only. #}
{% macro get_incremental_replace_months_sql(arg_dict) %}
  {{ replace_in_place(arg_dict, months_of_run(model.config.event_time)) }}
{% endmacro %}
