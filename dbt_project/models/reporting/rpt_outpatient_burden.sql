{{ config(tags=['monthly', 'clinical']) }}

-- Ranks within a place, month, age and sex; 'all' adds up ages and sexes. What has no code of ICD-10 is counted and has no rank.
with added as (
    select
        period_start,
        level,
        org_unit_uid,
        coalesce(age_band_key, 'all') as age_band_key,
        coalesce(sex, 'all') as sex,
        icd10_category,
        sum(new_cases)::bigint as new_cases
    from {{ ref('fct_outpatient_burden') }}
    group by
        period_start, level, org_unit_uid, icd10_category,
        grouping sets ((age_band_key, sex), (age_band_key), (sex), ())
),

names as (
    select left(icd10_code, 3) as icd10_category, min(name) as name, min(icd10_block_title) as block
    from {{ ref('dim_diagnosis') }}
    where icd10_code is not null
    group by left(icd10_code, 3)
),

ranked as (
    select
        added.*,
        sum(new_cases) over places as all_cases,
        case
            when icd10_category <> 'none'
                then rank() over (
                    partition by period_start, org_unit_uid, age_band_key, sex
                    order by icd10_category = 'none', new_cases desc
                )
        end as place_in_order
    from added
    window places as (partition by period_start, org_unit_uid, age_band_key, sex)
)

select
    {{ place_columns('ranked') }},
    ranked.period_start as month,
    periods.fiscal_year,
    ranked.age_band_key,
    coalesce(bands.name, ranked.age_band_key) as age_band,
    ranked.sex,
    ranked.icd10_category,
    names.name as diagnosis,
    names.block as icd10_block,
    ranked.place_in_order as rank,
    ranked.new_cases as numerator,
    ranked.all_cases::bigint as denominator,
    (100.0 * ranked.new_cases / nullif(ranked.all_cases, 0))::double precision as share
from ranked
inner join {{ ref('dim_period') }} as periods on ranked.period_start = periods.period_start
left join {{ ref('dim_age_band') }} as bands on ranked.age_band_key = bands.age_band_key
left join names on ranked.icd10_category = names.icd10_category
{{ place_joins('ranked') }}
