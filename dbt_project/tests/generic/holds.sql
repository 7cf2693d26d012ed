{# On a model or a column: the SQL condition is true for every row; a row for which it is unknown (NULL) fails too. #}
{% test holds(model, condition, column_name=none) %}
select *
from {{ model }}
where not coalesce({{ condition }}, false)
{% endtest %}
