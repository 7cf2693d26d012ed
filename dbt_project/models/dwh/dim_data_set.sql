{{ config(tags=['reference'], indexes=[{'columns': ['data_set_uid'], 'unique': true}]) }}

with elements as (
    select data_set_uid, count(*) as data_elements
    from {{ ref('stg_hmis__data_set_elements') }}
    group by data_set_uid
),

units as (
    select data_set_uid, count(*) as assigned_units
    from {{ ref('stg_hmis__data_set_org_units') }}
    group by data_set_uid
)

select
    data_sets.data_set_uid,
    data_sets.code,
    data_sets.name,
    data_sets.period_type,
    data_sets.timely_days,
    coalesce(elements.data_elements, 0) as data_elements,
    coalesce(units.assigned_units, 0) as assigned_units
from {{ ref('stg_hmis__data_sets') }} as data_sets
left join elements on data_sets.data_set_uid = elements.data_set_uid
left join units on data_sets.data_set_uid = units.data_set_uid
