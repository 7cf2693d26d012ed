{# The relation is empty: it lists breaches of a rule. #}
{% test no_rows(model) %}
select * from {{ model }}
{% endtest %}
