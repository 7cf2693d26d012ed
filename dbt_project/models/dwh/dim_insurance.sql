{{ config(tags=['reference'], meta={'dagster': {'group': 'clinical', 'owners': ['team:data-engineering']}}) }}

select
    insurance_key,
    scheme,
    category,
    name,
    category_system,
    is_insured,
    income_from_rwf,
    income_below_rwf,
    premium_rwf,
    subsidy_rwf,
    valid_from,
    valid_to,
    valid_to is null as is_current
from {{ ref('insurance_category') }}
