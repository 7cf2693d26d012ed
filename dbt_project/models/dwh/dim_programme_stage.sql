{{ config(
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['stage_key'], 'unique': true}]
) }}

select
    stages.program_stage_uid as stage_key,
    stages.programme,
    'event' as record,
    stages.name as stage_name,
    stages.is_repeatable,
    stages.sort_order
from {{ ref('int_programme_stage') }} as stages
union all
select
    {{ enrollment_stage_key('programmes.programme') }},
    programmes.programme,
    'enrolment',
    'Enrolment',
    true,
    0
from {{ ref('int_programme') }} as programmes
