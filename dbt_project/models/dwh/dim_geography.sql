{{ config(tags=['reference'], indexes=[{'columns': ['geography_uid'], 'unique': true}]) }}

with known_districts as (
    select
        units.org_unit_uid,
        units.country_uid,
        units.province_uid,
        districts.district_code,
        districts.province_code,
        districts.population_2022
    from {{ ref('int_org_unit') }} as units
    inner join {{ ref('district') }} as districts
        on lower(regexp_replace(units.name, '\s+district$', '', 'i')) = lower(districts.name)
    where units.role = 'district'
),

population as (
    select org_unit_uid as geography_uid, population_2022 from known_districts
    union all
    select province_uid, sum(population_2022) from known_districts where province_uid is not null group by province_uid
    union all
    select country_uid, sum(population_2022) from known_districts where country_uid is not null group by country_uid
),

province_codes as (
    select province_uid, min(province_code) as province_code
    from known_districts
    group by province_uid
    having min(province_code) = max(province_code)
)

select
    units.org_unit_uid as geography_uid,
    units.name,
    units.role as level,
    units.level as level_number,
    units.parent_uid,
    units.province_uid,
    units.province_name,
    province_codes.province_code::text as province_code,
    units.district_uid,
    units.district_name,
    known_districts.district_code::text as district_code,
    units.sub_district_uid,
    units.sub_district_name,
    population.population_2022::bigint as population_2022
from {{ ref('int_org_unit') }} as units
left join known_districts on units.district_uid = known_districts.org_unit_uid
left join province_codes on units.province_uid = province_codes.province_uid
left join population on units.org_unit_uid = population.geography_uid
where units.role in ('country', 'province', 'district', 'sub_district', 'sector')
