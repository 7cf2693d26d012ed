{{ config(
    tags=['reference'],
    meta={'dagster': {'group': 'idsr', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['disease_code'], 'unique': true}]
) }}

select
    disease_code,
    name,
    name_fr,
    reporting,
    reporting = 'immediate' as is_immediate,
    icd10,
    preferred_path
from {{ ref('idsr_disease') }}
