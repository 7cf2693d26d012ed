{# What facts of visits, results and stock are made of. #}

{# The key in a fact of a record that a system keeps: a pseudonym, as that of a person. `record` names the kind of record. #}
{% macro clinical_record_key(record, id) -%}
  identity.pseudonym('{{ record }}', ({{ id }})::text)
{%- endmacro %}

{# What a record names its facility by, as int_facility_crosswalk has it (source_key): the system's code or, where it has
   none, the name and district. CEMR's encounters have names only. #}
{% macro facility_of_record(code, name='null', district='null') -%}
  coalesce({{ code }}, {{ facility_source_key('null::text', name, district) }})
{%- endmacro %}

{# Completed months at a day. 1900-01-01 stands for a birth that nobody knows; a birth after the day is a mistake. NULL then. #}
{% macro completed_months(birth, day) -%}
  case
    when {{ birth }} > date '1900-01-01' and {{ birth }} <= {{ day }}
      then (extract(year from age({{ day }}, {{ birth }})) * 12 + extract(month from age({{ day }}, {{ birth }})))::integer
  end
{%- endmacro %}

{# Whether somebody of so many completed years is in a band of dim_age_band whose ends are whole years. Nobody is older
   than 120: such an age is in no band. #}
{% macro years_in_band(years, band) -%}
  {{ years }} between 0 and 120
    and {{ years }} * 12 >= {{ band }}.from_months
    and {{ years }} * 12 < coalesce({{ band }}.below_months, 9999)
{%- endmacro %}
