{# What the staging models of tracker programmes are made of; `hic staging` writes the models. #}

{# Rows of the pipeline that a programme is read from now, each key once, without tombstones.

   Which pipeline that is, is asked when the view is read: a cutover needs no dbt run. PostgreSQL evaluates the question
   once a query (a one-time filter) and does not touch the other pipeline's table.

   A tracked entity is landed with every week it was enrolled in, and a record whose day was moved may stand in its old
   week until that is loaded again: the newest row is the record. It is looked for by the key and not by a window over
   all rows, so that a filter on the partition still reaches the table's index.

   `columns`: of the unified table; `renamed`: those that the legacy table calls otherwise; no `legacy`: it is gone. #}
{% macro tracker_rows(programme, key, columns, unified, legacy=none, renamed={}) -%}
  {%- if legacy is none -%}
    {{- _tracker_branch(key, columns, unified, {}) -}}
  {%- else -%}
    {{- _tracker_branch(key, columns, unified, {}, _reads_from(programme, 'unified')) }}
    union all
    {{ _tracker_branch(key, columns, legacy, renamed, _reads_from(programme, 'legacy')) -}}
  {%- endif -%}
{%- endmacro %}

{# Until it is cut over a programme is read from the legacy pipeline. #}
{% macro _reads_from(programme, pipeline) -%}
  coalesce(
        (select pipeline from {{ source('ops', 'programme_source') }} where programme = '{{ programme }}'), 'legacy'
    ) = '{{ pipeline }}' and
{%- endmacro %}

{% macro _tracker_branch(key, columns, relation, renamed, condition='') -%}
  select
    {%- for column in columns %}
    landed.{{ renamed.get(column, column) }}{% if column in renamed %} as {{ column }}{% endif %},
    {%- endfor %}
    landed._partition,
    landed._load_id,
    landed._source_updated_at
    from {{ relation }} as landed
    where {{ condition }} landed.deleted is distinct from 'true'
    and not exists (
        select 1 from {{ relation }} as newer
        where newer.{{ renamed.get(key, key) }} = landed.{{ renamed.get(key, key) }}
            and (coalesce(newer._source_updated_at, '-infinity'), newer._load_id)
            > (coalesce(landed._source_updated_at, '-infinity'), landed._load_id)
    )
{%- endmacro %}

{# Text as jsonb. The readers write canonical JSON; the one thing that is valid in it and not in jsonb is NUL. #}
{% macro as_jsonb(text) -%}
  case
        when strpos({{ text }}, '\u0000') = 0 then {{ text }}::jsonb
        else regexp_replace({{ text }}, '(?<!\\)((?:\\\\)*)\\u0000', '\1', 'g')::jsonb
    end
{%- endmacro %}

{# The fields' values as text, `fields.<column>`, and the object itself, `fields.document`; `fields` lists (column, uid,
   cast). Offset 0 keeps PostgreSQL from parsing the object once a column; what is not read is not parsed at all. #}
{% macro field_values(text, fields) -%}
cross join lateral (
    select
        parsed.document
        {%- for name, uid, cast in fields %},
        parsed.document ->> '{{ uid }}' as {{ name }}
        {%- endfor %}
    from (select {{ as_jsonb(text) }} as document offset 0) as parsed
    offset 0
) as fields
{%- endmacro %}

{# The same fields as typed columns, to follow others in a select. #}
{% macro field_columns(fields) -%}
  {%- for name, uid, cast in fields -%}
    ,
    {{ cast_field('fields.' ~ name, cast) }} as {{ name }}
  {%- endfor -%}
{%- endmacro %}

{# A value by the name of its cast. What does not fit is NULL, and stays in the JSON object. #}
{% macro cast_field(text, cast) -%}
  {%- if cast == 'text' -%}{{ clean_text(text) }}
  {%- elif cast == 'number' -%}{{ clean_number(text) }}
  {%- elif cast == 'integer' -%}{{ clean_key_integer(text) }}
  {%- elif cast == 'boolean' -%}{{ clean_boolean(text) }}
  {%- elif cast == 'date' -%}{{ clean_date(text) }}
  {%- elif cast == 'timestamp' -%}{{ clean_timestamp(text) }}
  {%- elif cast == 'time' -%}{{ clean_time(text) }}
  {%- elif cast == 'key' -%}{{ clean_key_text(text) }}
  {%- else -%}{{ exceptions.raise_compiler_error("no cast is called " ~ cast) }}
  {%- endif -%}
{%- endmacro %}

{# The day an event counts on: when it happened or, while it has not, when it is due. Its partition goes by it too. #}
{% macro event_day(occurred, scheduled) -%}
  coalesce({{ clean_date(occurred) }}, {{ clean_date(scheduled) }})
{%- endmacro %}

{# The meta of a model's columns, by column; for tests that are told by it what a column is made from. #}
{% macro columns_meta(relation) %}
  {%- set found = {} -%}
  {%- for node in (graph.nodes.values() if execute else []) -%}
    {%- if node.resource_type == 'model' and node.alias == relation.identifier -%}
      {%- for name, column in node.columns.items() -%}
        {% do found.update({name: column.config.meta or column.meta}) %}
      {%- endfor -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(found) }}
{% endmacro %}

{# Enrolments among the stages: what stands for a stage in the key of a fact. #}
{% macro enrollment_stage_key(programme) -%}
  {{ programme }} || ':enrolment'
{%- endmacro %}

{# The partitions that can hold a day of the batch's month, weeks too, and one that a record a day too early would be in.
   Beside the filter on the day, which no index helps: this one keeps the other years of the raw tables unread. #}
{% macro partitions_of_batch(column) -%}
  {%- if model.batch -%}
    {{ column }} > date '{{ model.batch.event_time_start.strftime("%Y-%m-%d") }}' - 7
    and {{ column }} <= date '{{ model.batch.event_time_end.strftime("%Y-%m-%d") }}'
  {%- else -%}
    true
  {%- endif -%}
{%- endmacro %}
