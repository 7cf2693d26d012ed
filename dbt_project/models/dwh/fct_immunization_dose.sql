{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='dose_key',
    tags=['weekly', 'tracker'],
    meta={'tested_whole': true, 'dagster': {'group': 'immunization_tracker', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['dose_key'], 'unique': true}, {'columns': ['week_start']}, {'columns': ['patient_source_key']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

-- A dose is a vaccine that is ticked on a visit that took place: whatever is 'true' there. What the seed of doses has no
-- name for is kept, as a dose of an unknown vaccine.
with ticked as (
    select
        visits.event_uid,
        visits.tracked_entity_uid,
        visits.org_unit_uid,
        visits.occurred_date as given_on,
        visits.partition_start as week_start,
        visits.load_id,
        coalesce(elements.code, field.uid) as source_code
    from {{ ref('stg_immunization__events') }} as visits
    cross join lateral jsonb_each_text(visits.data_values) as field (uid, answer)
    left join {{ ref('stg_immunization_tracker__program_stage_data_elements') }} as elements
        on visits.program_stage_uid = elements.program_stage_uid and field.uid = elements.data_element_uid
    where {{ weeks_of_run('visits.partition_start') }}
        and visits.program_stage = 'immunization_visit'
        and {{ took_place('visits.status') }}
        and field.answer = 'true'
),

-- Children of whom this run may know something new: seen, or enrolled (and so landed again), in one of its weeks.
met as (
    select tracked_entity_uid from ticked
    union
    select tracked_entity_uid from {{ ref('stg_immunization__enrollments') }}
    where {{ weeks_of_run('partition_start') }}
),

children as (
    select
        met.tracked_entity_uid,
        {{ patient_source_key('immunization', 'met.tracked_entity_uid') }} as patient_source_key,
        -- 1900-01-01 stands for a date that nobody knows.
        case when entities.dob > date '1900-01-01' then entities.dob end as birth_date,
        {{ sex_of_person('entities.gender') }} as sex
    from met
    inner join {{ ref('stg_immunization__tracked_entities') }} as entities
        on met.tracked_entity_uid = entities.tracked_entity_uid
),

doses as (
    select
        {{ patient_source_key('immunization_dose', "ticked.event_uid || '/' || ticked.source_code") }} as dose_key,
        {{ event_key("'immunization'", 'ticked.event_uid') }} as event_key,
        {{ patient_source_key('immunization', 'ticked.tracked_entity_uid') }} as patient_source_key,
        ticked.source_code,
        ticked.org_unit_uid,
        facilities.facility_uid,
        ticked.given_on,
        children.birth_date,
        children.sex,
        ticked.week_start,
        ticked.load_id,
        false as was_held
    from ticked
    left join children on ticked.tracked_entity_uid = children.tracked_entity_uid
    left join {{ ref('int_facility_registry') }} as facilities on ticked.org_unit_uid = facilities.facility_uid
    {%- if is_incremental() %}
    -- Doses of these children in other weeks: what came before, and what is to be judged anew.
    union all
    select
        held.dose_key,
        held.event_key,
        held.patient_source_key,
        held.source_code,
        held.org_unit_uid,
        held.facility_uid,
        held.given_on,
        case when children.tracked_entity_uid is not null then children.birth_date else held.given_on - held.age_days end,
        coalesce(children.sex, held.sex),
        held.week_start,
        held.load_id,
        true
    from {{ this }} as held
    left join children on held.patient_source_key = children.patient_source_key
    where not ({{ weeks_of_run('held.week_start') }})
        and held.patient_source_key in (
            select patient_source_key from children
            union all
            select gone.patient_source_key from {{ this }} as gone where {{ weeks_of_run('gone.week_start') }}
        )
        -- Moved into one of this run's weeks.
        and held.dose_key not in (
            select {{ patient_source_key('immunization_dose', "event_uid || '/' || source_code") }} from ticked
        )
    {%- endif %}
),

-- The schedule that was in force on the day.
scheduled as (
    select
        doses.*,
        schedule.vaccine_code,
        schedule.dose_code,
        schedule.dose_number,
        schedule.minimum_interval_days,
        (doses.birth_date + make_interval(weeks => schedule.due_weeks, months => schedule.due_months))::date as due_on,
        (doses.birth_date + make_interval(weeks => schedule.minimum_weeks, months => schedule.minimum_months))::date
            as not_before
    from doses
    left join {{ ref('vaccine_schedule') }} as schedule
        on doses.source_code = schedule.tracker_code
        and coalesce(doses.given_on >= schedule.valid_from, true)
        and coalesce(doses.given_on <= schedule.valid_to, true)
),

-- Of a series (doses from number 1 on) the last of those with a lower number; the birth dose is not part of it.
followed as (
    select
        scheduled.*,
        max(given_on) filter (where dose_number > 0) over (
            partition by coalesce(patient_source_key, dose_key), vaccine_code
            order by dose_number
            range between unbounded preceding and 1 preceding
        ) as previous_dose_on
    from scheduled
),

judged as (
    select
        *,
        given_on - birth_date as age_days,
        given_on >= not_before as is_age_valid,
        case
            when dose_number > 1 and minimum_interval_days is not null
                then given_on - previous_dose_on >= minimum_interval_days
        end as is_interval_valid,
        given_on <= (due_on + interval '3 months')::date as is_timely
    from followed
)

select
    judged.dose_key,
    judged.event_key,
    judged.patient_source_key,
    judged.vaccine_code,
    judged.dose_code,
    judged.dose_number::integer as dose_number,
    judged.source_code,
    judged.org_unit_uid,
    judged.facility_uid,
    judged.given_on,
    date_trunc('month', judged.birth_date)::date as birth_month,
    judged.sex,
    judged.age_days,
    judged.previous_dose_on,
    judged.is_age_valid,
    judged.is_interval_valid,
    judged.is_age_valid and coalesce(judged.is_interval_valid, true) as is_valid,
    judged.is_timely,
    judged.week_start,
    judged.load_id
from judged
{%- if is_incremental() %}
left join {{ this }} as held on judged.was_held and judged.dose_key = held.dose_key
where not judged.was_held
    or (judged.age_days, judged.sex, judged.previous_dose_on, judged.is_age_valid, judged.is_interval_valid, judged.is_timely)
    is distinct from
    (held.age_days, held.sex, held.previous_dose_on, held.is_age_valid, held.is_interval_valid, held.is_timely)
{%- endif %}
