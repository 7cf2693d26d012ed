{{ config(materialized='view', tags=['reference'], meta={'runs_as': 'reader'}) }}

select
    verdicts.disease_code,
    verdicts.district_code,
    verdicts.week_start,
    verdicts.rule_code,
    verdicts.method,
    verdicts.measure,
    verdicts.cases,
    verdicts.deaths,
    verdicts.observed,
    verdicts.expected,
    verdicts.upper,
    verdicts.score,
    verdicts.has_fired,
    verdicts.why_unknown,
    verdicts.evaluated_at,
    verdicts.reported_share,
    fired.first_fired_at
from {{ source('dwh', 'fct_idsr_alert') }} as verdicts
left join {{ source('ops', 'idsr_alert_fired') }} as fired
    on verdicts.week_start = fired.week_start
    and verdicts.disease_code = fired.disease_code
    and verdicts.district_code = fired.district_code
    and verdicts.rule_code = fired.rule_code
