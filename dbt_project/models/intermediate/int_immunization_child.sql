{{ config(
    incremental_strategy='replace_weeks',
    event_time='week_start',
    unique_key='enrolment_key',
    tags=['weekly', 'tracker'],
    meta={'dagster': {'group': 'immunization_tracker', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['enrolment_key'], 'unique': true}, {'columns': ['week_start']}]
) }}

{% call set_sql_header(config) %}{{ month_settings() }}{% endcall %}

with enrolled as (
    select * from {{ ref('stg_immunization__enrollments') }}
    where {{ weeks_of_run('partition_start') }} and status <> 'CANCELLED' and tracked_entity_uid is not null
)

select
    {{ enrolment_key("'immunization'", 'enrolled.enrollment_uid') }} as enrolment_key,
    {{ patient_source_key('immunization', 'enrolled.tracked_entity_uid') }} as patient_source_key,
    enrolled.org_unit_uid,
    enrolled.enrolled_date as enrolled_on,
    -- 1900-01-01 stands for a date that nobody knows.
    case when entities.dob > date '1900-01-01' then entities.dob end as birth_date,
    {{ sex_of_person('entities.gender') }} as sex,
    entities.residence_district,
    entities.residence_sector,
    enrolled.partition_start as week_start,
    enrolled.load_id
from enrolled
-- Inner: the attributes of nobody else are then taken out of their JSON.
inner join {{ ref('stg_immunization__tracked_entities') }} as entities
    on enrolled.tracked_entity_uid = entities.tracked_entity_uid
