{{ config(
    materialized='view',
    tags=['weekly', 'tracker'],
    meta={'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}},
    pre_hook="{{ ensure_table_of_months('int_programme_enrolment_monthly', ref('int_programme_enrolment_weekly'), 'enrolment_key') }}"
) }}

-- Both tables: programmes that are landed by week, and those by month (macros/programme_records.sql says why one is no ref).
{% set columns %}enrolment_key, programme, patient_source_key, org_unit_uid, facility_uid, day, status{% endset %}

select
    {{ columns }},
    week_start as partition_start,
    load_id
from {{ ref('int_programme_enrolment_weekly') }}
union all
select
    {{ columns }},
    partition_start,
    load_id
from {{ table_of_months('int_programme_enrolment_monthly') }}
