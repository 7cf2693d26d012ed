{# What the facts of tracker programmes are made of. #}

{# Whether an event took place: it was not only planned, missed or skipped. #}
{% macro took_place(status) -%}
  {{ status }} in ('ACTIVE', 'COMPLETED', 'VISITED')
{%- endmacro %}

{# An event's and an enrolment's own key in facts: a pseudonym, since with the source's uid anybody could look the person up. #}
{% macro event_key(programme, event) -%}
  identity.pseudonym({{ programme }} || '_event', {{ event }})
{%- endmacro %}

{% macro enrolment_key(programme, enrolment) -%}
  identity.pseudonym({{ programme }} || '_enrolment', {{ enrolment }})
{%- endmacro %}

{# Sex as M or F, from the words and numbers of the programmes. #}
{% macro sex_of_person(column) -%}
  case lower({{ column }})
    when 'm' then 'M' when 'male' then 'M' when '1' then 'M' when 'gabo' then 'M'
    when 'f' then 'F' when 'female' then 'F' when '2' then 'F' when 'gore' then 'F'
  end
{%- endmacro %}

{# Events of all programmes (of a union that 'hic staging' writes) as they stand in facts. `start`: the name that the
   partition's first day has in the model. #}
{% macro programme_events(records, start) -%}
select
    {{ event_key('records.programme', 'records.event_uid') }} as event_key,
    {{ enrolment_key('records.programme', 'records.enrollment_uid') }} as enrolment_key,
    records.programme,
    records.program_stage_uid as stage_key,
    identity.pseudonym(records.programme, records.tracked_entity_uid) as patient_source_key,
    records.org_unit_uid,
    facilities.facility_uid,
    records.day,
    records.status,
    coalesce({{ took_place('records.status') }}, false) as took_place,
    records.partition_start as {{ start }},
    records.load_id
from {{ records }} as records
left join {{ ref('int_facility_registry') }} as facilities on records.org_unit_uid = facilities.facility_uid
{%- endmacro %}

{# The same of enrolments. #}
{% macro programme_enrolments(records, start) -%}
select
    {{ enrolment_key('records.programme', 'records.enrollment_uid') }} as enrolment_key,
    records.programme,
    identity.pseudonym(records.programme, records.tracked_entity_uid) as patient_source_key,
    records.org_unit_uid,
    facilities.facility_uid,
    records.day,
    records.status,
    records.partition_start as {{ start }},
    records.load_id
from {{ records }} as records
left join {{ ref('int_facility_registry') }} as facilities on records.org_unit_uid = facilities.facility_uid
{%- endmacro %}

{# The table of a monthly model, for a view of the weekly call that reads both. By name and not by ref: the call of weeks
   does not wait for months, and must work before any month was built. #}
{% macro table_of_months(name) -%}
  {{ api.Relation.create(database=target.database, schema='intermediate', identifier=name, type='table') }}
{%- endmacro %}

{# Run before that view is made: without the monthly table, one like the weekly one, empty, which the first month fills. #}
{% macro ensure_table_of_months(name, weekly, key) -%}
  {%- set relation = api.Relation.create(
      database=target.database, schema='intermediate', identifier=name, type='table') -%}
  {%- if execute and adapter.get_relation(target.database, 'intermediate', name) is none -%}
    create table {{ relation }} (like {{ weekly }});
    alter table {{ relation }} rename column week_start to partition_start;
    create unique index on {{ relation }} ({{ key }});
    create index on {{ relation }} (partition_start)
    {%- do adapter.cache_added(relation) -%}
  {%- endif -%}
{%- endmacro %}
