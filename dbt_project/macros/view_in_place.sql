{# Views are replaced in place, for the same reason: dbt's own materialization drops the old view and all that reads it,
   which then stays away if a test stops the run in between. A view whose columns changed has to be made anew. #}
{% materialization view, adapter='postgres' %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='view') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- if existing is not none and not (existing.is_view and view_columns_kept(existing, sql)) -%}
    {% do adapter.drop_relation(existing) %}
  {%- endif -%}
  {% call statement('main') -%}
    {{ get_replace_view_sql(target_relation, sql) }}
  {%- endcall %}
  {%- if view_runs_as_reader() %}
    {% do run_query('alter view ' ~ target_relation ~ ' set (security_invoker = true)') %}
  {%- endif %}
  {%- if model.schema == 'reporting' %}
    {% do run_query('alter view ' ~ target_relation ~ ' set (security_barrier = ' ~ report_is_barrier() ~ ')') %}
  {%- endif %}

  {% do apply_grants(target_relation, config.get('grants'), should_revoke=true) %}
  {% do persist_docs(target_relation, model) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# PostgreSQL replaces a view when its columns stay, in name, type and order; more may follow them. #}
{% macro view_columns_kept(existing, sql) %}
  {%- set query -%}
    select attname, format_type(atttypid, atttypmod)
    from pg_attribute
    where attrelid = '{{ existing }}'::regclass and attnum > 0 and not attisdropped
    order by attnum
  {%- endset -%}
  {%- set old = run_query(query).rows -%}
  {%- set probe = this.identifier ~ '__columns' -%}
  {% do run_query('create temporary view "' ~ probe ~ '" as ' ~ get_empty_subquery_sql(sql)) %}
  {%- set new = run_query(query.replace(existing | string, 'pg_temp."' ~ probe ~ '"')).rows -%}
  {% do run_query('drop view pg_temp."' ~ probe ~ '"') %}
  {{ return(old | map('list') | list == (new | map('list') | list)[:old | length]) }}
{% endmacro %}

{# Views that analysts read ask for what they stand on with the rights of whoever reads them: as their owner they would show
   every district. Replacing a view forgets that it does, so it is said again in the same transaction. Views of staging ask
   as their owner, for nobody else may read raw tables; where analysts read through one, it says `runs_as: reader`. #}
{% macro view_runs_as_reader() %}
  {{ return(model.schema in ('dwh', 'reporting') or config.get('meta', {}).get('runs_as') == 'reader') }}
{% endmacro %}

{# Who reads reports alone must not see, by a condition that fails on it, a row or a number that a report leaves out. A barrier lets
   PostgreSQL apply few conditions early (`like` is none of them), so a report that says that it leaves nothing out has none. #}
{% macro report_is_barrier() %}
  {{ return('false' if config.get('meta', {}).get('leaves_nothing_out') else 'true') }}
{% endmacro %}
