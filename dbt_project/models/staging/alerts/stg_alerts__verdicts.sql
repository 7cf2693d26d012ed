{{ config(materialized='view', tags=['reference'], meta={'runs_as': 'reader'}) }}

select
    disease_code,
    district_code,
    week_start,
    rule_code,
    method,
    measure,
    cases,
    deaths,
    observed,
    expected,
    upper,
    score,
    has_fired,
    why_unknown,
    evaluated_at
from {{ source('dwh', 'fct_idsr_alert') }}
