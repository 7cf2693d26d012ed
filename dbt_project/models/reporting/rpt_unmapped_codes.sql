{{ config(
    tags=['monthly', 'clinical'],
    meta={'dagster': {'group': 'crosswalks', 'owners': ['team:data-engineering']}}
) }}

with mapped as (
    select system, 'diagnosis' as kind, source_code from {{ ref('xwalk_diagnosis') }}
    union
    select system, 'lab_test', source_code from {{ ref('xwalk_lab_test') }}
    union
    select system, 'product', source_code from {{ ref('xwalk_product') }}
    union
    select 'idsr', 'disease', disease_code from {{ ref('idsr_disease') }}
),

codes as (
    select
        system,
        kind,
        source_code,
        case when source_code is null then source_label end as words,
        mode() within group (order by source_label) as source_label,
        sum(records)::bigint as records,
        count(distinct facility) as facilities,
        min(first_day) as first_seen,
        max(last_day) as last_seen
    from {{ ref('int_code_use') }}
    where kind <> 'facility'
    group by system, kind, source_code, case when source_code is null then source_label end
),

-- Words that are the label of a code mean that code.
labels as (
    select codes.system, {{ plain_letters('part.label') }} as label, min(codes.source_code) as source_code
    from {{ ref('xwalk_diagnosis') }} as codes
    cross join lateral regexp_split_to_table(codes.source_label, ' / ') as part (label)
    group by codes.system, {{ plain_letters('part.label') }}
)

select
    codes.system,
    codes.kind,
    codes.source_code,
    codes.source_label,
    null::text as source_district,
    codes.records,
    codes.facilities,
    codes.first_seen,
    codes.last_seen,
    case
        when labels.source_code is not null then 'the label of ' || labels.source_code || ': write the code in the system'
        when codes.source_code is null then 'words in place of a code: look at the system'
        else 'add the code to the crosswalk'
    end as suggestion
from codes
left join mapped on codes.system = mapped.system and codes.kind = mapped.kind and codes.source_code = mapped.source_code
left join labels on codes.system = labels.system and codes.words = labels.label
where mapped.system is null
union all
select
    system,
    'facility',
    source_code,
    source_name,
    source_district,
    records,
    facilities,
    first_seen,
    last_seen,
    case
        when matched_by = 'several' then 'several have this name: ' || coalesce(suggestion, '')
        when suggestion is not null then 'perhaps ' || suggestion
        else 'none is like it'
    end
from {{ ref('int_facility_crosswalk') }}
where facility_uid is null
