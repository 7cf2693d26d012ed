{{ config(materialized='view', tags=['reference'], meta={'runs_as': 'reader'}) }}

select
    org_unit_uid,
    level,
    indicator_id,
    period_start,
    actual,
    reported,
    usual,
    control,
    expected,
    expected_published,
    effect,
    p_value,
    is_sharp,
    is_sustained,
    is_dip,
    is_rise,
    is_missing,
    is_tagged,
    is_disrupted,
    is_tagged_published,
    why_unknown
from {{ source('dwh', 'fct_quality_disruption') }}
