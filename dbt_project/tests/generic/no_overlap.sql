{# Times of the same key do not overlap: of two rows one ends before the other starts. An open start or end is for ever. #}
{% test no_overlap(model, key, start, end) %}
select one.{{ key }}, one.{{ start }}, other.{{ start }} as other_start
from (select *, row_number() over () as place from {{ model }}) as one
inner join (select *, row_number() over () as place from {{ model }}) as other
    on one.{{ key }} = other.{{ key }} and one.place < other.place
where daterange(one.{{ start }}, one.{{ end }}, '[]') && daterange(other.{{ start }}, other.{{ end }}, '[]')
{% endtest %}
