{{ config(
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['programme'], 'unique': true}]
) }}

select
    programme,
    title,
    system,
    program_uid,
    cadence
from {{ ref('int_programme') }}
