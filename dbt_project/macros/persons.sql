{# One source's records of persons, in the columns that records are linked by (hic_assets/linkage/schema.py). A column that
   `columns` does not name is NULL: not every source has it. `more` follows the relation: joins, conditions. `told_by` tells the rows of one record apart. #}
{% macro person_records(system, record, relation, columns, more='') -%}
select
    '{{ system }}'::text as system,
    ({{ record }})::text as record_id,
    {%- for name, kind in [
        ('surname', 'text'), ('given_name', 'text'), ('sex', 'text'), ('birth_date', 'date'), ('birth_precision', 'text'),
        ('birth_order', 'bigint'), ('multiple_birth', 'boolean'), ('nid', 'text'), ('upi', 'text'),
        ('programme_numbers', 'text[]'), ('phone', 'text'), ('mother_name', 'text'), ('mother_nid', 'text'),
        ('district', 'text'), ('sector', 'text'), ('cell', 'text'), ('village', 'text'), ('facility', 'text'),
        ('recorded_on', 'date'), ('died_on', 'date'), ('told_by', 'text'), ('load_id', 'bigint')
    ] %}
    ({{ columns.get(name, 'null') }})::{{ kind }} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ relation }} as records
{{ more }}
{%- endmacro %}

{# Of a column's values in the rows of one record the newest that is there; of one day's, always the same one. `first` is
   an order that counts before, `given` the column that must be there. #}
{% macro newest(column, first=none, given=none, what=none) -%}
  (array_agg({{ what or column }} order by {{ first ~ ', ' if first }}recorded_on desc nulls last, told_by desc)
        filter (where {{ given or column }} is not null))[1]
{%- endmacro %}

{# The numbers that programmes give one person, each with its scheme; those that a record lacks are left out. #}
{% macro programme_numbers(schemes) -%}
  array_remove(array[{% for scheme, column in schemes.items() %}'{{ scheme }}:' || {{ column }}{{ ', ' if not loop.last }}{% endfor %}]::text[], null)
{%- endmacro %}

{# What the events of a tracked entity say of it, joined as `told`. #}
{% macro told_by_events(events, columns) -%}
left join (
    select tracked_entity_uid{% for name, expression in columns.items() %}, {{ expression }} as {{ name }}{% endfor %}
    from {{ events }}
    group by tracked_entity_uid
) as told on records.tracked_entity_uid = told.tracked_entity_uid
{%- endmacro %}

{# Whether a date of birth is a day or stands for a year. #}
{% macro birth_precision(estimated) -%}
  case when {{ estimated }} then 'year' else 'day' end
{%- endmacro %}

{# Sex as the country's systems write it: letters, words in three languages, DHIS2's 1 and 2, the national ID's 8 and 7. #}
{% macro sex_code(column) -%}
  case
    when upper(btrim({{ column }})) in ('M', 'MALE', '1', '8', 'GABO') then 'male'
    when upper(btrim({{ column }})) in ('F', 'FEMALE', '2', '7', 'GORE') then 'female'
  end
{%- endmacro %}
