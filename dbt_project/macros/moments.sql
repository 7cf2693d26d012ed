{# Days and moments in the forms of the REST systems. As in clean.sql: what does not fit is NULL, and nothing can raise. #}

{# A day as dd/MM/yyyy, at the start of the text. #}
{% macro clean_slashed_date(column) -%}
  {{ clean_date(_slashed_as_iso(column)) }}
{%- endmacro %}

{# dd/MM/yyyy HH:mm:ss, local time of Kigali, as the moment it tells. #}
{% macro clean_slashed_time(column) -%}
  {{ clean_timestamp(_slashed_as_iso(column)) }} at time zone 'Africa/Kigali'
{%- endmacro %}

{% macro _slashed_as_iso(column) -%}
  regexp_replace({{ column }}, '^\s*(\d\d)/(\d\d)/(\d{4})', '\3-\2-\1')
{%- endmacro %}

{# An ISO 8601 moment; without an offset it is local time of Kigali. #}
{% macro clean_moment(column) -%}
  case
    when {{ column }} ~ '[T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s*(Z|[+-](0\d|1[0-4]):?[0-5]\d)?\s*$'
      then ({{ clean_timestamp(column) }} at time zone 'UTC') - case
        when {{ column }} ~ 'Z\s*$' then interval '0'
        else coalesce(
          (substring({{ column }} from '([+-]\d\d):?\d\d\s*$') || ':' || substring({{ column }} from '(\d\d)\s*$'))::interval,
          interval '2 hours'
        )
      end
  end
{%- endmacro %}

{# Milliseconds since 1970 in UTC, as the moment; of the years 1800 to 2199. #}
{% macro clean_epoch_ms(column) -%}
  case
    when {{ clean_key_integer(column) }} between -5364662400000 and 7258118399999
      then to_timestamp({{ clean_key_integer(column) }} / 1000.0)
  end
{%- endmacro %}

{# The day it was in Kigali at a moment. #}
{% macro local_day(moment) -%}
  ({{ moment }} at time zone 'Africa/Kigali')::date
{%- endmacro %}
