{{ config(tags=['reference'], meta={'dagster': {'group': 'clinical', 'owners': ['team:data-engineering']}}) }}

select
    product_code,
    name,
    atc_code,
    unit,
    atc_code is not null as is_medicine
from {{ ref('national_product') }}
