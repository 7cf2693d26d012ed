{# The columns together identify a row: no two rows share them, and none is NULL, except that those in `nullable` may be. #}
{% test is_key(model, columns, nullable=[]) %}
select {{ columns | join(', ') }}, count(*) as records
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1{% for column in columns if column not in nullable %} or {{ column }} is null{% endfor %}
{% endtest %}
