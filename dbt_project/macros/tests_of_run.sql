{# What a data test looks at: of a model with months or weeks, those of the run, as what the run wrote is there and nowhere
   else; without a window all. So one month landed again costs a month, however many are held. dbt asks this of every test
   for the relation that it is attached to; a `where` of the test's own counts too. A row of no month is of every run.
   Looked at whole is a model that writes beyond the run's weeks, and says so in its meta (`tested_whole`), or has batches of years;
   and a view of the reference set, whose partitions may be of another cadence than the run. #}
{% macro postgres__get_where_subquery(relation) -%}
  {%- set attached = graph.nodes.get(model.attached_node) if execute else none -%}
  {%- set event_time = attached.config.event_time if attached and not is_tested_whole(attached) else none -%}
  {%- set is_windowed = event_time and months_of_run(event_time) != 'true' -%}
  {%- set window = '(' ~ months_of_run(event_time) ~ ' or ' ~ event_time ~ ' is null)' if is_windowed else 'true' -%}
  {%- set key = model.test_metadata.kwargs['columns'] if model.test_metadata.name == 'is_key' else [] -%}
  {%- set where = config.get('where') or 'true' -%}
  {%- if not is_windowed and where == 'true' -%}
    {%- do return(relation) -%}
  {%- elif is_windowed and key and event_time not in key -%}
    {%- do return(rows_of_keys_of_run(relation, key, event_time, window, where)) -%}
  {%- endif -%}
  {%- do return('(select * from ' ~ relation ~ ' where ' ~ window ~ ' and (' ~ where ~ ')) as dbt_subquery') -%}
{%- endmacro %}

{% macro is_tested_whole(node) -%}
  {%- do return(
    node.config.meta.get('tested_whole', false) or node.config.get('batch_size') == 'year' or 'reference' in node.tags
  ) -%}
{%- endmacro %}

{# Of a key without the month: the run's rows, and wherever else their keys stand. A key with a NULL stands nowhere else but
   where the column may be NULL. #}
{% macro rows_of_keys_of_run(relation, key, event_time, window, where) -%}
  {%- set nullable = model.test_metadata.kwargs.get('nullable', []) -%}
  (
    select {{ key | join(', ') }} from {{ relation }} as held
    where ({{ where }}) and exists (
      select 1 from {{ relation }} as written
      where {{ months_of_run('written.' ~ event_time) }}
      {%- for column in key %}
        and written.{{ column }} {{ 'is not distinct from' if column in nullable else '=' }} held.{{ column }}
      {%- endfor %}
    )
    union all
    select {{ key | join(', ') }} from {{ relation }}
    where {{ window }} and ({{ where }}) and (
      {{- event_time }} is null
      {%- for column in key if column not in nullable %} or {{ column }} is null{% endfor -%}
    )
  ) as dbt_subquery
{%- endmacro %}
