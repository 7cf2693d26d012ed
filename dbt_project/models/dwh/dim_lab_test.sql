{{ config(tags=['reference'], meta={'dagster': {'group': 'clinical', 'owners': ['team:data-engineering']}}) }}

with units as (
    select distinct loinc_code, standard_unit from {{ ref('lab_unit') }}
)

select
    codes.system || ':' || codes.source_code as lab_test_key,
    codes.system,
    codes.source_code,
    codes.source_label as name,
    codes.target_code as loinc_code,
    codes.relation,
    codes.note,
    codes.is_sensitive,
    units.standard_unit,
    units.standard_unit is not null as is_quantity
from {{ ref('xwalk_lab_test') }} as codes
left join units on codes.target_code = units.loinc_code
