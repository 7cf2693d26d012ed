{{ config(tags=['weekly'], meta={'dagster': {'group': 'idsr', 'owners': ['team:data-engineering']}}) }}

with fired as (
    select
        week_start,
        disease_code,
        district_code,
        max(cases) as cases,
        max(deaths) as deaths,
        -- Single cases of what is rare come before how far a count is above the usual (as hic_assets/alerts/warehouse.py).
        array_agg(
            rule_code
            order by has_fired is not true, method not in ('fixed', 'rate'), score desc nulls last, rule_code
        ) as rules,
        count(*) as rules_fired,
        bool_or(has_fired) is true as is_standing,
        min(first_fired_at) as first_fired_at,
        max(reported_share) as reported_share,
        max(evaluated_at) as evaluated_at
    from {{ ref('stg_alerts__verdicts') }}
    where has_fired or first_fired_at is not null
    group by week_start, disease_code, district_code
)

select
    weeks.epi_week,
    fired.week_start,
    weeks.week_end,
    fired.district_code,
    coalesce(districts.name, fired.district_code) as district,
    provinces.name as province,
    fired.disease_code,
    coalesce(diseases.name, fired.disease_code) as disease,
    diseases.reporting,
    fired.cases,
    fired.deaths,
    fired.rules_fired,
    fired.rules,
    strongest.rule_code as strongest_rule,
    strongest.observed,
    strongest.expected,
    strongest.upper,
    strongest.score,
    rules.note as rule_note,
    fired.evaluated_at,
    fired.is_standing,
    fired.first_fired_at,
    round(100 * fired.reported_share::numeric, 1) as reporting_completeness
from fired
inner join {{ ref('stg_alerts__verdicts') }} as strongest
    on
        fired.week_start = strongest.week_start
        and fired.disease_code = strongest.disease_code
        and fired.district_code = strongest.district_code
        and fired.rules[1] = strongest.rule_code
inner join {{ ref('dim_epi_week') }} as weeks on fired.week_start = weeks.week_start
left join {{ ref('idsr_disease') }} as diseases on fired.disease_code = diseases.disease_code
left join {{ ref('idsr_alert_rule') }} as rules
    on strongest.disease_code = rules.disease_code and strongest.rule_code = rules.rule_code
left join {{ ref('district') }} as districts on fired.district_code = districts.district_code::text
left join {{ ref('province') }} as provinces on districts.province_code = provinces.province_code
