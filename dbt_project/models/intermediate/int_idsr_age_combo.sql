{{ config(tags=['reference'], meta={'dagster': {'group': 'idsr', 'owners': ['team:data-engineering']}}) }}

-- A disaggregation by anything beside age is of the age all the same.
select distinct
    options.category_option_combo_uid,
    bands.age_band
from {{ ref('stg_hmis__category_option_combo_options') }} as options
inner join {{ ref('idsr_age_band') }} as bands
    on lower(options.category_option_code) = lower(bands.dhis2_option)
    or regexp_replace(lower(options.category_option_name), '\s*years?$', '') = lower(bands.age_band)
