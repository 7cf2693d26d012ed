{# Month ends up to the last week that `events` holds, each with the Monday of its week as week_start. #}
{% macro month_ends(events) -%}
  select
        periods.period_start,
        periods.period_end,
        date_trunc('week', periods.period_end::timestamp)::date as week_start
    from {{ ref('dim_period') }} as periods
    cross join (select min(week_start) as first_week, max(week_start) as last_week from {{ events }}) as held
    where periods.period_end >= held.first_week and periods.period_end <= held.last_week + 6
{%- endmacro %}

{# Weeks after those that a run is for. What is there at a time depends on all that came before: an old week landed again
   costs the months since then, the newest one costs its own month at most. #}
{% macro weeks_after_run(column) -%}
  {%- set end = invocation_args_dict.get('event_time_end') -%}
  {%- if end -%}
    {{ column }} >= date '{{ (end | string)[:10] }}'
  {%- else -%}
    false
  {%- endif -%}
{%- endmacro %}

{# Weeks up to so many days before those that a run is for. #}
{% macro weeks_before_run(column, days) -%}
  {%- set start = invocation_args_dict.get('event_time_start') -%}
  {%- if start -%}
    {{ column }} between date '{{ (start | string)[:10] }}' - {{ days }} and date '{{ (start | string)[:10] }}'
  {%- else -%}
    false
  {%- endif -%}
{%- endmacro %}
