{# Every value of the columns fits its type: none is NULL where the raw row has text. Lists the columns with values that do
   not, and how many; the text stays in the raw table. Looks at the newest partitions, of some hundred days: older ones
   were looked at when they were new. #}
{% test casts_hold(model, raw, key, columns) %}
with recent as (
    select *
    from {{ raw }}
    where _partition >= (select max(_partition) from {{ raw }}) - 100
)

select checked.column_name, count(*) as records
from {{ model }} as typed
inner join recent
    on recent._partition = typed.partition_start
    and btrim(recent.{{ key }}, E' \t\r\n') = typed.{{ key }}
cross join lateral (
    values
    {%- for column in columns %}
    ('{{ column }}', recent.{{ column }}, typed.{{ column }} is null){{ ',' if not loop.last }}
    {%- endfor %}
) as checked (column_name, value_text, is_lost)
where checked.is_lost and btrim(checked.value_text) <> ''
group by checked.column_name
{% endtest %}
