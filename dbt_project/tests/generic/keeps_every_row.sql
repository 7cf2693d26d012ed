{# A fact holds as many rows of each system and month as stand in the models it is made of: nothing lost, nothing
   multiplied. `sources` lists {system, relation, rows}, `rows` being which of the relation's rows the fact is made of (all,
   where it is left out); `month` is the fact's column that holds the partition. Looks at the months of the run. #}
{% test keeps_every_row(model, sources, month='period_start') %}
with there as (
    {%- for source in sources %}
    select '{{ source.system }}' as system, partition_start as month, count(*) as records
    from {{ source.relation }}
    where {{ source.get('rows', 'true') }} and {{ months_of_run('partition_start') }}
    group by partition_start
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

here as (
    select system, {{ month }} as month, count(*) as records
    from {{ model }}
    where {{ months_of_run(month) }}
    group by system, {{ month }}
)

select system, month, here.records as records_here, there.records as records_there
from here
full outer join there using (system, month)
where here.records is distinct from there.records
{% endtest %}
