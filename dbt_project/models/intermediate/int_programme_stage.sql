{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

select
    programmes.programme,
    stages.program_stage_uid,
    stages.name,
    stages.is_repeatable,
    stages.sort_order
from (
    select program_stage_uid, program_uid, name, is_repeatable, sort_order
    from {{ ref('stg_hmis_tracker__program_stages') }}
    union all
    select program_stage_uid, program_uid, name, is_repeatable, sort_order
    from {{ ref('stg_hiv_tracker__program_stages') }}
    union all
    select program_stage_uid, program_uid, name, is_repeatable, sort_order
    from {{ ref('stg_immunization_tracker__program_stages') }}
    union all
    select program_stage_uid, program_uid, name, is_repeatable, sort_order
    from {{ ref('stg_cancer_registry__program_stages') }}
) as stages
inner join {{ ref('int_programme') }} as programmes on stages.program_uid = programmes.program_uid
