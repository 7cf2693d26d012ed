{{ config(materialized='view', event_time='period_start', tags=['monthly']) }}

-- period_start is the partition column itself, not a date made from `period`: the month's filter then reaches
-- the partition of the raw table instead of scanning all of them.
select
    _partition as period_start,
    {{ clean_key_text('period') }} as period,
    {{ clean_key_text('data_element') }} as data_element_uid,
    {{ clean_key_text('org_unit') }} as org_unit_uid,
    {{ clean_key_text('category_option_combo') }} as category_option_combo_uid,
    {{ clean_key_text('attribute_option_combo') }} as attribute_option_combo_uid,
    value as value_text,
    {{ clean_number('value') }} as value_number,
    coalesce({{ clean_boolean('follow_up') }}, false) as follow_up,
    {{ provenance() }}
from {{ source('raw', 'hmis_data_values') }}
where deleted is distinct from 'true'
