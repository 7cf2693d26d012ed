{# The weeks that a run is for: the half-open window of --event-time-start/end, on the week's Monday. Without a window, all.

   dbt's microbatch knows no weeks: a week would be seven batches of a day, six of them empty. These models take the
   run's whole range of weeks in one statement instead, and each of them names its window itself, in every relation that it
   reads: dbt filters for microbatch only. #}
{% macro weeks_of_run(column) -%}
  {%- set start, end = invocation_args_dict.get('event_time_start'), invocation_args_dict.get('event_time_end') -%}
  {%- if start and end -%}
    {{ column }} >= date '{{ (start | string)[:10] }}' and {{ column }} < date '{{ (end | string)[:10] }}'
  {%- else -%}
    true
  {%- endif -%}
{%- endmacro %}

{# Replaces those weeks, whole, in one transaction: a row that vanished at the source vanishes here, a reader sees the old
   weeks or the new ones, and other weeks are not touched. With a `unique_key` a record that was moved leaves its old week at
   once, which may be landed again only later: no record stands in two weeks. #}
{% macro get_incremental_replace_weeks_sql(arg_dict) %}
  {{ replace_in_place(arg_dict, weeks_of_run('week_start')) }}
{% endmacro %}
