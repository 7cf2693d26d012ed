{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='event_key',
    tags=['weekly', 'tracker'],
    meta={'dagster': {'group': 'hiv_tracker', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['event_key'], 'unique': true}, {'columns': ['week_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

select
    {{ event_key("'hiv'", 'event_uid') }} as event_key,
    {{ patient_source_key('hiv', 'tracked_entity_uid') }} as patient_source_key,
    org_unit_uid,
    case program_stage
        when 'enrolment_in_care' then 'enrolment'
        when 'clinical_visit' then 'visit'
        when 'viral_load' then 'viral_load'
        when 'transfer_or_exit' then 'exit'
    end as kind,
    case program_stage
        when 'viral_load' then coalesce(hiv_vl_collected, event_day)
        when 'transfer_or_exit' then coalesce(hiv_exit_date, event_day)
        else event_day
    end as day,
    hiv_entry as entry_point,
    hiv_art_start as art_started_on,
    -- More than a year's drugs are an error of typing, and count as a year's.
    case when hiv_drug_days > 0 then least(hiv_drug_days, 366)::integer end as drug_days,
    case
        when hiv_vl_ldl then true
        when hiv_vl_copies is not null then hiv_vl_copies < 1000
        else hiv_vl_suppressed
    end as is_suppressed,
    hiv_exit as exit_reason,
    partition_start as week_start,
    load_id
from {{ ref('stg_hiv__events') }}
where {{ weeks_of_run('partition_start') }}
    and program_stage is not null
    and tracked_entity_uid is not null
    and {{ took_place('status') }}
