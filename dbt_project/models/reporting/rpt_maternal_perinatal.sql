{{ config(tags=['monthly'], pre_hook="{{ ensure_parents() }}") }}

-- The HMIS's numbers and the audit trackers', by quarter: deaths are few, and what is kept back is decided a quarter at a time
-- (int_death_audit_quarter). Both parts of a rate add up over quarters; division comes last.
{#- By the HMIS, which rpt_core_indicators shows too: keeping them back here would only hide audits along with them. #}
{%- set counted = ['deliveries', 'live_births', 'maternal_deaths', 'stillbirths', 'neonatal_deaths'] %}
{%- set mothers = ['maternal_notified', 'maternal_audited', 'maternal_audited_in_time', 'maternal_lateness_unknown'] %}
{%- set newborns = ['perinatal_notified', 'perinatal_audited', 'perinatal_audited_in_time', 'perinatal_lateness_unknown'] %}

with reported as (
    select
        date_trunc('quarter', period_start)::date as period_start,
        org_unit_uid,
        level,
        sum(value) filter (where measure_code = 'DELIVERIES') as deliveries,
        sum(value) filter (where measure_code = 'LIVE_BIRTHS') as live_births,
        sum(value) filter (where measure_code in ('STILLBIRTHS_FRESH', 'STILLBIRTHS_MACERATED')) as stillbirths,
        sum(value) filter (where measure_code = 'MATERNAL_DEATHS') as maternal_deaths,
        -- The form counts deaths within 30 minutes elsewhere.
        sum(value) filter (where measure_code in ('NEONATAL_DEATHS_AT_BIRTH', 'NEONATAL_DEATHS_LATER')) as neonatal_deaths
    from {{ ref('fct_measure_month') }}
    where measure_code in (
            'DELIVERIES', 'LIVE_BIRTHS', 'STILLBIRTHS_FRESH', 'STILLBIRTHS_MACERATED', 'MATERNAL_DEATHS',
            'NEONATAL_DEATHS_AT_BIRTH', 'NEONATAL_DEATHS_LATER'
        )
    group by 1, 2, 3
),

audited as (
    select * from {{ ref('int_death_audit_quarter') }}
),

-- For all places the same: a tracker of which a quarter has no month loaded tells nothing of it, which is not 0.
loaded as (
    select
        date_trunc('quarter', period_start)::date as period_start,
        {%- for source, name in [
            ('hmis', 'hmis'), ('maternal_death_audit', 'maternal'), ('perinatal_death_audit', 'perinatal')
        ] %}
        count(*) filter (where source = '{{ source }}' and is_complete) as {{ name }}_months_loaded,
        {%- endfor %}
        max(data_as_of) as data_as_of
    from {{ ref('int_source_month') }}
    where source in ('hmis', 'maternal_death_audit', 'perinatal_death_audit')
    group by 1
),

quarters as (
    select
        coalesce(reported.period_start, audited.period_start) as period_start,
        coalesce(reported.org_unit_uid, audited.org_unit_uid) as org_unit_uid,
        coalesce(reported.level, audited.level) as level,
        {%- for name in counted %}
        reported.{{ name }},
        {%- endfor %}
        {%- for name in mothers + newborns %}
        case when loaded.{{ name.split('_')[0] }}_months_loaded > 0 then coalesce(audited.{{ name }}, 0) end as {{ name }},
        {%- endfor %}
        -- Without a row nobody anywhere had an audit in the quarter, or a unit that is not in the registry had none.
        coalesce(audited.is_mothers_shown, true) as is_mothers_shown,
        coalesce(audited.is_newborns_shown, true) as is_newborns_shown
    from reported
    full join audited
        on reported.period_start = audited.period_start and reported.org_unit_uid = audited.org_unit_uid
    left join loaded on coalesce(reported.period_start, audited.period_start) = loaded.period_start
),

summed as (
    select
        quarters.level,
        quarters.org_unit_uid,
        names.period_type,
        names.period,
        count(*) as quarters,
        bool_and(quarters.is_mothers_shown) as is_mothers_shown,
        bool_and(quarters.is_newborns_shown) as is_newborns_shown,
        {%- for name in counted + mothers + newborns %}
        sum(quarters.{{ name }})::double precision as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from quarters
    inner join {{ ref('dim_period') }} as periods on quarters.period_start = periods.period_start
    cross join lateral {{ periods_of('periods') }}
    where names.period_type <> 'month'
    group by quarters.level, quarters.org_unit_uid, names.period_type, names.period
),

told as (
    select
        level,
        org_unit_uid,
        period_type,
        period,
        quarters,
        {%- for name in counted %}
        {{ name }},
        {%- endfor %}
        {%- for name in mothers %}
        case when is_mothers_shown then {{ name }} end as {{ name }},
        {%- endfor %}
        {%- for name in newborns %}
        case when is_newborns_shown then {{ name }} end as {{ name }},
        {%- endfor %}
        not is_mothers_shown as is_mothers_suppressed,
        not is_newborns_shown as is_newborns_suppressed
    from summed
),

months_loaded as (
    select
        names.period_type,
        names.period,
        {%- for name in ['hmis', 'maternal', 'perinatal'] %}
        sum(loaded.{{ name }}_months_loaded)::bigint as {{ name }}_months_loaded,
        {%- endfor %}
        max(loaded.data_as_of) as data_as_of
    from loaded
    inner join {{ ref('dim_period') }} as periods on loaded.period_start = periods.period_start
    cross join lateral {{ periods_of('periods') }}
    group by names.period_type, names.period
)

select
    {{ place_columns('told') }},
    told.period_type,
    told.period,
    told.quarters,
    told.deliveries,
    told.live_births,
    told.maternal_deaths,
    100000 * told.maternal_deaths / nullif(told.live_births, 0) as maternal_mortality_ratio,
    told.maternal_notified,
    told.maternal_audited,
    told.maternal_audited_in_time,
    100 * told.maternal_audited / nullif(told.maternal_notified, 0) as maternal_audited_share,
    100 * told.maternal_audited_in_time / nullif(told.maternal_notified - told.maternal_lateness_unknown, 0)
        as maternal_audited_in_time_share,
    told.stillbirths,
    told.live_births + told.stillbirths as total_births,
    1000 * told.stillbirths / nullif(told.live_births + told.stillbirths, 0) as stillbirth_rate,
    told.neonatal_deaths,
    1000 * told.neonatal_deaths / nullif(told.live_births, 0) as neonatal_mortality_rate,
    told.perinatal_notified,
    told.perinatal_audited,
    told.perinatal_audited_in_time,
    100 * told.perinatal_audited / nullif(told.perinatal_notified, 0) as perinatal_audited_share,
    100 * told.perinatal_audited_in_time / nullif(told.perinatal_notified - told.perinatal_lateness_unknown, 0)
        as perinatal_audited_in_time_share,
    told.is_mothers_suppressed,
    told.is_newborns_suppressed,
    told.maternal_lateness_unknown,
    told.perinatal_lateness_unknown,
    coalesce(months_loaded.hmis_months_loaded, 0) as hmis_months_loaded,
    coalesce(months_loaded.maternal_months_loaded, 0) as maternal_months_loaded,
    coalesce(months_loaded.perinatal_months_loaded, 0) as perinatal_months_loaded,
    months_loaded.data_as_of
from told
left join months_loaded on told.period_type = months_loaded.period_type and told.period = months_loaded.period
{{ place_joins('told') }}
