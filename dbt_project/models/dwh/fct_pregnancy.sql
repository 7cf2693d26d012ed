{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='pregnancy_key',
    tags=['weekly', 'clinical'],
    meta={'dagster': {'group': 'ebuzima', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['pregnancy_key'], 'unique': true}, {'columns': ['week_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

with pregnancies as (
    select
        records.*,
        {{ local_day('records.registered_at') }} as booked_on,
        case
            when records.date_of_birth > date '1900-01-01' and records.date_of_birth <= {{ local_day('records.registered_at') }}
                then extract(year from age({{ local_day('records.registered_at') }}, records.date_of_birth))::integer
        end as mother_age_years,
        -- A pregnancy is dated to the first day of the last period: as told, or as the expected day of birth says.
        case records.dating_method
            when 'ULTRASOUND' then coalesce(records.estimated_delivery_date - 280, records.last_menstrual_period)
            else coalesce(records.last_menstrual_period, records.estimated_delivery_date - 280)
        end as dated_from
    from {{ ref('stg_ebuzima__pregnancies') }} as records
    where {{ weeks_of_run('records.partition_start') }}
),

risks as (
    select pregnancy_id, count(*)::integer as risk_factors, array_agg(risk_factor order by position) as risk_factor_codes
    from {{ ref('stg_ebuzima__pregnancy_risk_factors') }}
    where {{ weeks_of_run('partition_start') }}
    group by pregnancy_id
)

select
    {{ patient_source_key('ebuzima_pregnancy', 'pregnancies.pregnancy_id') }} as pregnancy_key,
    {{ patient_source_key('ebuzima', 'pregnancies.patient_id') }} as patient_source_key,
    names.facility_uid,
    pregnancies.facility_code as source_facility_code,
    pregnancies.booked_on,
    pregnancies.last_menstrual_period,
    pregnancies.estimated_delivery_date,
    pregnancies.dating_method,
    case
        when pregnancies.booked_on - pregnancies.dated_from between 0 and 45 * 7 + 6
            then ((pregnancies.booked_on - pregnancies.dated_from) / 7)::integer
    end as gestation_weeks_at_booking,
    pregnancies.mother_age_years,
    pregnancies.gravida::integer as gravida,
    pregnancies.parity::integer as parity,
    pregnancies.hiv_status,
    pregnancies.on_art,
    coalesce(risks.risk_factors, 0) as risk_factors,
    coalesce(risks.risk_factor_codes, '{}') as risk_factor_codes,
    pregnancies.status,
    pregnancies.status_date,
    pregnancies.partition_start as week_start,
    pregnancies.load_id
from pregnancies
left join risks on pregnancies.pregnancy_id = risks.pregnancy_id
left join {{ ref('int_facility_name') }} as names
    on {{ fosa_code('pregnancies.facility_code') }} = names.fosa_code and names.is_fosa_unique
