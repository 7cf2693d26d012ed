{{ config(tags=['reference'], meta={'dagster': {'group': 'clinical', 'owners': ['team:data-engineering']}}) }}

with codes as (
    select
        system,
        source_code,
        max(source_label) as name,
        max(printed_system) as printed_classification,
        max(printed_code) as printed_code,
        {%- for icd in ['10', '11'] %}
        max(target_code) filter (where target_system = 'ICD-{{ icd }}') as icd{{ icd }}_code,
        max(relation) filter (where target_system = 'ICD-{{ icd }}') as icd{{ icd }}_relation,
        {%- endfor %}
        string_agg(distinct note, '; ') as note
    from {{ ref('xwalk_diagnosis') }}
    group by system, source_code
)

select
    codes.system || ':' || codes.source_code as diagnosis_key,
    codes.system,
    codes.source_code,
    codes.name,
    codes.printed_classification,
    codes.printed_code,
    codes.icd10_code,
    codes.icd10_relation,
    chapters.code as icd10_chapter,
    chapters.title as icd10_chapter_title,
    blocks.code as icd10_block,
    blocks.title as icd10_block_title,
    codes.icd11_code,
    codes.icd11_relation,
    chapters_11.code as icd11_chapter,
    chapters_11.title as icd11_chapter_title,
    coalesce(chapters.is_sensitive, false) or coalesce(blocks.is_sensitive, false) or coalesce(chapters_11.is_sensitive, false)
        as is_sensitive,
    codes.note
from codes
{%- for alias, classification, level, category in [
    ('chapters', 'ICD-10', 'chapter', 'left(codes.icd10_code, 3)'),
    ('blocks', 'ICD-10', 'block', 'left(codes.icd10_code, 3)'),
    ('chapters_11', 'ICD-11', 'chapter', 'left(codes.icd11_code, 1)'),
] %}
left join {{ ref('icd_range') }} as {{ alias }}
    on {{ alias }}.classification = '{{ classification }}' and {{ alias }}.level = '{{ level }}'
    and {{ category }} collate "C" between {{ alias }}.from_category and {{ alias }}.to_category
{%- endfor %}
