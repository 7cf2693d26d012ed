{{ config(tags=['reference'], meta={'dagster': {'group': 'idsr', 'owners': ['team:data-engineering']}}) }}

select
    elements.data_element_uid,
    diseases.disease_code,
    measures.measure
from {{ ref('idsr_disease') }} as diseases
cross join lateral (
    values ('cases', diseases.cases_code), ('deaths', diseases.deaths_code)
) as measures (measure, code)
inner join {{ ref('stg_hmis__data_elements') }} as elements on measures.code = elements.code
