{# The column, or the columns together, identify a row: none is NULL, and no two rows share them. #}
{% test is_key(model, column_name=none, columns=none) %}
{%- set key = columns or [column_name] -%}
select {{ key | join(', ') }}, count(*) as records
from {{ model }}
group by {{ key | join(', ') }}
having count(*) > 1 or {% for column in key %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
