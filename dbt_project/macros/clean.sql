{# Casts of text as it came. None of them can raise: what does not fit becomes NULL, and a test or a count says so. #}

{# Trimmed, inner white space reduced to one blank; empty text is NULL. For names and descriptions. #}
{% macro clean_text(column) -%}
  nullif(btrim(regexp_replace({{ column }}, '\s+', ' ', 'g')), '')
{%- endmacro %}

{# An identifier kept as text: only the white space around it goes. Leading zeros are part of it. #}
{% macro clean_key_text(column) -%}
  nullif(btrim({{ column }}, E' \t\r\n'), '')
{%- endmacro %}

{# A whole number as bigint; '12.0' (a spreadsheet's way of writing 12) is 12. At most 18 digits fit. #}
{% macro clean_key_integer(column) -%}
  case
    when {{ column }} ~ '^\s*[-+]?\d{1,18}(\.0*)?\s*$'
      then split_part(btrim({{ column }}, E' \t\r\n'), '.', 1)::bigint
  end
{%- endmacro %}

{# A number as double precision. The length and exponent limits keep the cast inside the type's range. #}
{% macro clean_number(column) -%}
  case
    when length({{ column }}) <= 60
      and {{ column }} ~ '^\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,2})?\s*$'
      then btrim({{ column }}, E' \t\r\n')::double precision
  end
{%- endmacro %}

{# The calendar date at the start of an ISO 8601 date or timestamp. The day is added to the first of the month and has
   to stay in it, so 2024-02-31 is NULL rather than an error. #}
{% macro clean_date(column) -%}
  case
    when {{ column }} ~ '^\s*[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])'
      then case
        when to_char({{ _iso_date(column) }}, 'MM') = substr(btrim({{ column }}, E' \t\r\n'), 6, 2)
          then {{ _iso_date(column) }}
      end
  end
{%- endmacro %}

{% macro _iso_date(column) -%}
  (make_date(substr(btrim({{ column }}, E' \t\r\n'), 1, 4)::int, substr(btrim({{ column }}, E' \t\r\n'), 6, 2)::int, 1)
    + (substr(btrim({{ column }}, E' \t\r\n'), 9, 2)::int - 1))
{%- endmacro %}

{# The date and time of day an ISO 8601 timestamp begins with, as they stand: a zone after them is not looked at. #}
{% macro clean_timestamp(column) -%}
  case
    when {{ column }} ~ '^\s*\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?([^:\d]|$)'
      then {{ clean_date(column) }} + substring({{ column }} from '[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)')::time
  end
{%- endmacro %}

{# A time of day; '9:30' is 09:30. #}
{% macro clean_time(column) -%}
  case
    when {{ column }} ~ '^\s*([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?\s*$'
      then btrim({{ column }}, E' \t\r\n')::time
  end
{%- endmacro %}

{# 'true' and 'false' in any case; anything else is NULL. #}
{% macro clean_boolean(column) -%}
  case lower(btrim({{ column }}, E' \t\r\n')) when 'true' then true when 'false' then false end
{%- endmacro %}

{# The FOSA code: digits, zero-padded to four. Exports drop the zeros, add '.0' or put 'F' or 'FOSA' before it;
   longer codes are left as they are. NULL when there are no such digits. #}
{% macro fosa_code(column) -%}
  case
    when {{ column }} ~* '^\s*(fosa|f)?[ :-]*\d+(\.0+)?\s*$'
      then lpad(
        substring({{ column }} from '(\d+)'),
        greatest(4, length(substring({{ column }} from '(\d+)'))),
        '0'
      )
  end
{%- endmacro %}
