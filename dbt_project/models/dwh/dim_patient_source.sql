{{ config(
    tags=['identity'],
    meta={'dagster': {'group': 'identity', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['patient_source_key'], 'unique': true}, {'columns': ['patient_key']}]
) }}

select
    identity.pseudonym(system, record_id) as patient_source_key,
    patient_key,
    system as source,
    count(*) over (partition by patient_key) as records_of_patient
from {{ ref('stg_identity__assignments') }}
