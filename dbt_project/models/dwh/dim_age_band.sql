{{ config(tags=['reference'], meta={'dagster': {'group': 'clinical', 'owners': ['team:data-engineering']}}) }}

select
    age_band_key,
    band_set,
    name,
    sort_order,
    from_months,
    from_days,
    below_months,
    below_days,
    from_months % 12 = 0 and from_days = 0 and coalesce(below_months % 12 = 0 and below_days = 0, true) as is_whole_years
from {{ ref('age_band') }}
