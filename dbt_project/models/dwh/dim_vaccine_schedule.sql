{{ config(
    tags=['reference'],
    meta={'dagster': {'group': 'reference_data', 'owners': ['team:data-engineering']}}
) }}

select
    dose_code,
    vaccine_code,
    dose_number,
    product,
    given_to,
    due_age,
    due_weeks,
    due_months,
    minimum_weeks,
    minimum_months,
    minimum_interval_days,
    valid_from,
    valid_to,
    status,
    note
from {{ ref('vaccine_schedule') }}
