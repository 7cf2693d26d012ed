{# Per group, the sum of this column equals the sum of `other_column` in `other`; `rows` and `other_rows` pick those of each side. A group missing on one side counts as 0.
   Of a model with months the months of a run, on both sides by the same column. #}
{% test sum_equals(model, column_name, other, other_column, group_by, rows='true', other_rows='true') %}
with here as (
    select {{ group_by | join(', ') }}, sum({{ column_name }}) as total
    from {{ model }} where {{ rows }} group by {{ group_by | join(', ') }}
),
there as (
    select {{ group_by | join(', ') }}, sum({{ other_column }}) as total
    from {{ get_where_subquery(other) }} where {{ other_rows }} group by {{ group_by | join(', ') }}
)
select {{ group_by | join(', ') }}, here.total as total_here, there.total as total_there
from here full outer join there using ({{ group_by | join(', ') }})
where coalesce(here.total, 0) <> coalesce(there.total, 0)
{% endtest %}
