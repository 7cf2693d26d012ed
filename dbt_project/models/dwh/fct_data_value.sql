{{ config(
    materialized='incremental',
    incremental_strategy='microbatch',
    event_time='period_start',
    batch_size='month',
    begin='2020-01-01',
    lookback=0,
    on_schema_change='append_new_columns',
    tags=['monthly'],
    indexes=[{
        'columns': [
            'period_start', 'data_element_uid', 'org_unit_uid', 'category_option_combo_uid',
            'attribute_option_combo_uid'
        ],
        'unique': true
    }]
) }}

-- dbt puts the batch's window, and an alias of its own, around a ref that has an event_time: hence the import.
with entries as (
    select * from {{ ref('stg_hmis__data_values') }}
)

select
    entries.period_start,
    entries.data_element_uid,
    entries.category_option_combo_uid,
    entries.attribute_option_combo_uid,
    entries.org_unit_uid,
    measured.value,
    case when measured.value is null then entries.value_text end as value_text,
    entries.follow_up,
    entries.load_id,
    entries.source_updated_at
from entries
left join {{ ref('dim_data_element') }} as elements on entries.data_element_uid = elements.data_element_uid
cross join lateral (
    select case
        -- DHIS2 counts yes as 1 and no as 0 wherever a number is asked of a boolean.
        when elements.value_type in ('BOOLEAN', 'TRUE_ONLY')
            then case lower(btrim(entries.value_text)) when 'true' then 1 when 'false' then 0 end::double precision
        when coalesce(elements.is_numeric, true) then entries.value_number
    end as value
) as measured
