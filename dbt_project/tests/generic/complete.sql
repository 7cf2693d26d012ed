{# None of the columns is ever NULL. Lists those that are, and in how many rows; one scan, however many columns. #}
{% test complete(model, columns) %}
select missing.column_name, missing.records
from (
    select
        {%- for column in columns %}
        count(*) - count({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }}
) as counted
cross join lateral (
    values
    {%- for column in columns %}
    ('{{ column }}', counted.{{ column }}){{ ',' if not loop.last }}
    {%- endfor %}
) as missing (column_name, records)
where missing.records > 0
{% endtest %}
