{# What a data test looks at: of a model with months or weeks, those of the run, as what the run wrote is there and nowhere
   else; without a window all. So one month landed again costs a month, however many are held. dbt asks this of every test
   for the relation that it is attached to; a `where` of the test's own counts too. #}
{% macro postgres__get_where_subquery(relation) -%}
  {%- set attached = graph.nodes.get(model.attached_node) if execute else none -%}
  {%- set event_time = attached.config.event_time if attached else none -%}
  {%- set window = months_of_run(event_time) if event_time else 'true' -%}
  {%- set key = model.test_metadata.kwargs['columns'] if model.test_metadata.name == 'is_key' else [] -%}
  {%- set where = config.get('where') -%}
  {%- if window == 'true' and not where -%}
    {%- do return(relation) -%}
  {%- elif window != 'true' and key and event_time not in key -%}
    {%- set rows -%}
      (
        select {{ key | join(', ') }} from {{ relation }} as held
        where exists (
          select 1 from {{ relation }} as written
          where {{ months_of_run('written.' ~ event_time) }}
          {%- for column in key %} and written.{{ column }} = held.{{ column }}{% endfor %}
        )
        union all
        select {{ key | join(', ') }} from {{ relation }}
        where {{ window }} and ({{ key | join(' is null or ') }} is null)
      ) as dbt_subquery
    {%- endset -%}
    {%- do return(rows) -%}
  {%- endif -%}
  {%- set rows -%}
    (select * from {{ relation }} where {{ window }} and ({{ where or 'true' }})) as dbt_subquery
  {%- endset -%}
  {%- do return(rows) -%}
{%- endmacro %}
