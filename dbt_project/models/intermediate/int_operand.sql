{{ config(tags=['reference'], indexes=[{'columns': ['operand_kind', 'item_uid']}]) }}

select distinct
    operands.operand_key,
    operands.operand_kind,
    operands.item_uid,
    operands.item_part,
    operands.attribute_option_combo_uid,
    case operands.operand_kind
        when 'de' then coalesce(rules.combine, 'sum')
    end as combine
from {{ ref('int_indicator_operand') }} as operands
left join {{ ref('stg_hmis__data_elements') }} as elements
    on operands.operand_kind = 'de' and operands.item_uid = elements.data_element_uid
left join {{ ref('aggregation_type') }} as rules on elements.aggregation_type = rules.aggregation_type
