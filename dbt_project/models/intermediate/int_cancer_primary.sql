{{ config(
    materialized='view',
    tags=['monthly', 'tracker'],
    meta={'dagster': {'group': 'cancer_registry', 'owners': ['team:data-engineering']}}
) }}

-- One new primary a person and site, the first by incidence: who has a tumour recorded twice, or a second one of the same
-- site, counts once.
select distinct on (patient_source_key, topography_group)
    tumour_key,
    topography_group,
    extract(year from incidence_date)::integer as incidence_year,
    sex,
    case when age_years between 0 and 120 then least(age_years / 5 * 5, 85) end as age_from,
    residence_district_code,
    coalesce(is_morphologically_verified, false) as is_morphologically_verified,
    coalesce(is_dco, false) as is_dco
from {{ ref('fct_tumour') }}
where is_malignant and is_confirmed is not false and incidence_date is not null
order by patient_source_key, topography_group, incidence_date, tumour_key
