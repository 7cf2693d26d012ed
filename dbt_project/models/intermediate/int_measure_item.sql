{{ config(tags=['reference'], indexes=[{'columns': ['data_element_uid']}]) }}

-- Codes of the seed, as the server has them: one row a measure, data element and, where options are named, option combo
-- that has them all.
with combos as (
    select category_option_combo_uid, array_agg(category_option_code) as codes
    from {{ ref('stg_hmis__category_option_combo_options') }}
    where category_option_code is not null
    group by category_option_combo_uid
)

select
    sources.measure_code,
    sources.data_element_code,
    sources.option_codes,
    elements.data_element_uid,
    combos.category_option_combo_uid,
    sources.weight
from {{ ref('measure_source') }} as sources
inner join {{ ref('stg_hmis__data_elements') }} as elements on sources.data_element_code = elements.code
left join combos on string_to_array(sources.option_codes, '+') <@ combos.codes
where sources.option_codes is null or combos.category_option_combo_uid is not null
