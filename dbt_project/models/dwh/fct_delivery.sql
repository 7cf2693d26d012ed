{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='delivery_key',
    tags=['weekly', 'clinical'],
    meta={'dagster': {'group': 'ebuzima', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['delivery_key'], 'unique': true}, {'columns': ['week_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

with deliveries as (
    select records.*, {{ local_day('records.delivered_at') }} as delivered_on
    from {{ ref('stg_ebuzima__deliveries') }} as records
    where {{ weeks_of_run('records.partition_start') }}
),

complications as (
    select delivery_id, count(*)::integer as complications, array_agg(complication order by position) as complication_codes
    from {{ ref('stg_ebuzima__delivery_complications') }}
    where {{ weeks_of_run('partition_start') }}
    group by delivery_id
)

select
    {{ patient_source_key('ebuzima_delivery', 'deliveries.delivery_id') }} as delivery_key,
    {{ patient_source_key('ebuzima_pregnancy', 'deliveries.pregnancy_id') }} as pregnancy_key,
    {{ patient_source_key('ebuzima', 'deliveries.patient_id') }} as patient_source_key,
    names.facility_uid,
    deliveries.facility_code as source_facility_code,
    deliveries.delivered_on,
    deliveries.gestational_age_weeks::integer as gestation_weeks,
    case
        when deliveries.date_of_birth > date '1900-01-01' and deliveries.date_of_birth <= deliveries.delivered_on
            then extract(year from age(deliveries.delivered_on, deliveries.date_of_birth))::integer
    end as mother_age_years,
    deliveries.mode,
    deliveries.mode = 'CAESAREAN' as is_caesarean,
    deliveries.attendant,
    -- Born before arrival: nobody attended.
    deliveries.attendant in ('DOCTOR', 'MIDWIFE', 'NURSE') as is_skilled_attendance,
    deliveries.babies::integer as babies,
    deliveries.live_births::integer as live_births,
    deliveries.stillbirths::integer as stillbirths,
    coalesce(complications.complications, 0) as complications,
    coalesce(complications.complication_codes, '{}') as complication_codes,
    deliveries.uterotonic_given,
    deliveries.blood_loss_ml::integer as blood_loss_ml,
    deliveries.hiv_status,
    deliveries.mother_condition,
    deliveries.discharge_date,
    deliveries.partition_start as week_start,
    deliveries.load_id
from deliveries
left join complications on deliveries.delivery_id = complications.delivery_id
left join {{ ref('int_facility_name') }} as names
    on {{ fosa_code('deliveries.facility_code') }} = names.fosa_code and names.is_fosa_unique
