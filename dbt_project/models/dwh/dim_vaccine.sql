{{ config(
    tags=['reference'],
    meta={'dagster': {'group': 'reference_data', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['vaccine_code'], 'unique': true}]
) }}

select
    vaccines.vaccine_code,
    vaccines.name,
    vaccines.protects_against,
    vaccines.is_vaccine,
    vaccines.introduced_on,
    vaccines.introduction_status,
    (select count(distinct schedule.dose_code) from {{ ref('vaccine_schedule') }} as schedule
        where schedule.vaccine_code = vaccines.vaccine_code and schedule.valid_to is null)::integer as doses_now,
    vaccines.note
from {{ ref('vaccine') }} as vaccines
