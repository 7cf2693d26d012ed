{{ config(tags=['reference'], indexes=[{'columns': ['category_option_combo_uid'], 'unique': true}]) }}

-- Age and sex are read from the names of the categories; `default` from names too, since its uid differs by server.
with options as (
    select
        category_option_combo_uid,
        max(category_option_name) filter (where category_name ~* '\mage') as age_band,
        max(category_option_name) filter (where category_name ~* '\m(sex|gender)\M') as sex_option,
        bool_and(lower(category_name) = 'default') as only_default
    from {{ ref('stg_hmis__category_option_combo_options') }}
    group by category_option_combo_uid
)

select
    combos.category_option_combo_uid,
    combos.code,
    combos.name,
    combos.category_combo_uid,
    combos.category_combo_name,
    case when not is_default then options.age_band end as age_band,
    case
        when is_default then null
        when options.sex_option ~* '^(f|female|females|girls?|wom[ae]n|gore)$' then 'F'
        when options.sex_option ~* '^(m|male|males|boys?|m[ae]n|gabo)$' then 'M'
    end as sex,
    is_default
from {{ ref('stg_hmis__category_option_combos') }} as combos
left join options on combos.category_option_combo_uid = options.category_option_combo_uid
cross join lateral (
    select coalesce(options.only_default, lower(combos.name) = 'default', false) as is_default
) as flags
