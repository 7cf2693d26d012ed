{{ config(tags=['reference']) }}

select distinct
    operands.indicator_uid,
    coalesce(elements.data_set_uid, operands.item_uid) as data_set_uid
from {{ ref('int_indicator_operand') }} as operands
left join {{ ref('stg_hmis__data_set_elements') }} as elements
    on operands.operand_kind = 'de' and operands.item_uid = elements.data_element_uid
inner join {{ ref('stg_hmis__data_sets') }} as data_sets
    on coalesce(elements.data_set_uid, operands.item_uid) = data_sets.data_set_uid
where data_sets.period_type = 'Monthly'
    and (elements.data_set_uid is not null or operands.operand_kind = 'ds')
