{# The table of a model of another call, by its name and not by ref: calls of weeks do not wait for months, and neither does a
   view on both that the one of them makes. #}
{% macro table_of(name, schema='dwh') -%}
  {{ api.Relation.create(database=target.database, schema=schema, identifier=name, type='table') }}
{%- endmacro %}

{# Run before such a view is made: where that table is not there yet, an empty one with the columns that its description types, which its own call then
   fills. Of two models at once the second waits for the first: dbt's cache would tell it of a table that is not committed yet. #}
{% macro ensure_table(name, schema='dwh') -%}
  {%- set relation = api.Relation.create(database=target.database, schema=schema, identifier=name, type='table') -%}
  {#- Not to_regclass, which would remember within a transaction that there was none. #}
  {%- set is_missing -%}
    select not exists (
      select from pg_class join pg_namespace on pg_namespace.oid = relnamespace where nspname = '{{ schema }}' and relname = '{{ name }}'
    )
  {%- endset -%}
  {%- if execute and run_query(is_missing).rows[0][0] -%}
    {%- do run_query("select pg_advisory_xact_lock(hashtext('hic empty tables'))") -%}
    {%- do adapter.cache_added(relation) -%}
  {%- endif -%}
  {%- if execute and run_query(is_missing).rows[0][0] -%}
    {%- set node = (graph.nodes.values() | selectattr('name', 'equalto', name) | selectattr('resource_type', 'equalto', 'model') | list)[0] -%}
    create table {{ relation }} (
      {%- for column in node.columns.values() %}
      {{ adapter.quote(column.name) }} {{ column.data_type }}{{ ',' if not loop.last }}
      {%- endfor %}
    );
    {%- for index in node.config.get('indexes', []) %}
    {{ get_create_index_sql(relation, index) }};
    {%- endfor %}
  {%- endif -%}
{%- endmacro %}

{# Run before a model that reads what other systems' runs build: a warehouse is brought up one system after another, and until
   theirs have run, such a model finds them empty. In one call the refs still give the order. Tables of runs alone, and the one view
   of months: any other view is built by the run of registries before, and where it is missing, that is to be said. #}
{% macro ensure_parents() -%}
  {%- if execute -%}
    {%- for id in model.depends_on.nodes if id in graph.nodes and graph.nodes[id].resource_type == 'model' %}
      {%- if 'weekly' in graph.nodes[id].tags or 'monthly' in graph.nodes[id].tags %}
        {{ ensure_table(graph.nodes[id].alias, graph.nodes[id].schema) }}
      {%- endif %}
    {%- endfor %}
  {%- endif -%}
{%- endmacro %}
