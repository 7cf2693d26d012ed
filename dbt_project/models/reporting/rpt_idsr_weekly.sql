{{ config(tags=['weekly'], meta={'dagster': {'group': 'idsr', 'owners': ['team:data-engineering']}}) }}

select
    weeks.epi_week,
    weeks.epi_year,
    weeks.epi_week_number,
    facts.week_start,
    weeks.week_end,
    facts.district_key,
    districts.district_name as district,
    districts.district_code,
    districts.province_name as province,
    facts.disease_code,
    coalesce(diseases.name, facts.disease_code) as disease,
    diseases.reporting,
    coalesce(diseases.preferred_path, 'direct') as preferred_path,
    facts.cases,
    facts.deaths,
    facts.cases_under_5,
    facts.deaths_under_5,
    facts.facilities_expected,
    facts.facilities_reported,
    facts.facilities_by_other_path,
    facts.cases_by_other_path,
    facts.deaths_by_other_path,
    loaded.data_as_of
from {{ ref('fct_idsr_district_week') }} as facts
inner join {{ ref('dim_epi_week') }} as weeks on facts.week_start = weeks.week_start
left join (
    select partition_start as week_start, max(loaded_at) as data_as_of
    from {{ ref('int_partition_loaded') }}
    where relation in ('idsr_notifications', 'hmis_weekly_values', 'hmis_weekly_registrations')
    group by partition_start
) as loaded on facts.week_start = loaded.week_start
left join {{ ref('dim_geography') }} as districts on facts.district_key = districts.geography_uid
left join {{ ref('idsr_disease') }} as diseases on facts.disease_code = diseases.disease_code
