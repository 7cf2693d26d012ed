{# The relation holds at least one row: every other test passes on an empty one. #}
{% test not_empty(model) %}
select 1 as missing
where not exists (select 1 from {{ model }})
{% endtest %}
