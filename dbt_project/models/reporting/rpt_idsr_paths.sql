{{ config(tags=['weekly'], meta={'dagster': {'group': 'idsr', 'owners': ['team:data-engineering']}}) }}

select
    weeks.epi_week,
    sides.week_start,
    sides.place_key,
    sides.facility_uid,
    facilities.name as facility,
    facilities.fosa_code,
    facilities.district_name as district,
    sides.disease_code,
    coalesce(diseases.preferred_path, 'direct') as preferred_path,
    sides.direct_cases,
    sides.dhis2_cases,
    sides.direct_deaths,
    sides.dhis2_deaths,
    sides.verdict
from {{ ref('int_idsr_path') }} as sides
inner join {{ ref('dim_epi_week') }} as weeks on sides.week_start = weeks.week_start
left join {{ ref('dim_facility') }} as facilities
    on sides.facility_uid = facilities.facility_uid and facilities.is_current
left join {{ ref('idsr_disease') }} as diseases on sides.disease_code = diseases.disease_code
