{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='event_key',
    tags=['weekly', 'tracker'],
    meta={'dagster': {'group': 'hmis_tracker', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['event_key'], 'unique': true}, {'columns': ['week_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

select
    {{ event_key("'tb'", 'event_uid') }} as event_key,
    {{ enrolment_key("'tb'", 'enrollment_uid') }} as enrolment_key,
    org_unit_uid,
    case program_stage when 'registration_and_diagnosis' then 'registration' else 'outcome' end as kind,
    case program_stage when 'treatment_outcome' then coalesce(tb_outcome_date, event_day) else event_day end as day,
    tb_patient_type as patient_type,
    tb_site as site,
    tb_basis as basis,
    tb_resistance as resistance,
    tb_hiv_status as hiv_status,
    tb_outcome as outcome,
    partition_start as week_start,
    load_id
from {{ ref('stg_tb__events') }}
where {{ weeks_of_run('partition_start') }}
    and program_stage in ('registration_and_diagnosis', 'treatment_outcome')
    and enrollment_uid is not null
    and {{ took_place('status') }}
