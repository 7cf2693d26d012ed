{{ config(tags=['reference'], indexes=[{'columns': ['data_element_uid'], 'unique': true}]) }}

select
    data_element_uid,
    code,
    name,
    short_name,
    domain_type,
    value_type,
    coalesce(
        value_type in (
            'NUMBER', 'UNIT_INTERVAL', 'PERCENTAGE', 'INTEGER', 'INTEGER_POSITIVE', 'INTEGER_NEGATIVE',
            'INTEGER_ZERO_OR_POSITIVE', 'BOOLEAN', 'TRUE_ONLY'
        ),
        false
    ) as is_numeric,
    aggregation_type,
    zero_is_significant,
    category_combo_uid
from {{ ref('stg_hmis__data_elements') }}
