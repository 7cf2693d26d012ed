{{ config(tags=['monthly', 'tracker']) }}

-- Not kept back cell by cell: counts by site, sex and district would need that over three margins at once. So it is closed: it reads
-- int_cancer_primary, which analysts and districts may not (docs/roles.md).
with districts as (
    select geography_uid, district_code from {{ ref('dim_geography') }} where level = 'district'
),

country as (
    select geography_uid from {{ ref('dim_geography') }} where level = 'country'
),

-- The country has cases of no known district too; 'all' is every site, and both sexes.
cases as (
    select
        primaries.incidence_year,
        places.level,
        places.org_unit_uid,
        sexes.sex,
        sites.site,
        primaries.age_from,
        count(*) as cases,
        count(*) filter (where primaries.is_morphologically_verified) as verified,
        count(*) filter (where primaries.is_dco) as death_certificate_only
    from {{ ref('int_cancer_primary') }} as primaries
    cross join country
    left join districts on primaries.residence_district_code = districts.district_code
    cross join lateral (
        select 'country' as level, country.geography_uid as org_unit_uid
        union all
        select 'district', districts.geography_uid where districts.geography_uid is not null
    ) as places
    cross join lateral (values (coalesce(primaries.sex, 'unknown')), ('all')) as sexes (sex)
    cross join lateral (values (coalesce(primaries.topography_group, 'unknown')), ('all')) as sites (site)
    group by 1, 2, 3, 4, 5, 6
),

people as (
    select
        given.year,
        places.org_unit_uid,
        sexes.sex,
        given.age_from,
        sum(given.population) as population
    from {{ ref('population_age_sex') }} as given
    cross join country
    left join districts on given.district_code = districts.district_code
    cross join lateral (
        select country.geography_uid as org_unit_uid
        union all
        select districts.geography_uid where districts.geography_uid is not null
    ) as places
    cross join lateral (values (given.sex), ('all')) as sexes (sex)
    group by 1, 2, 3, 4
),

-- Rates of whoever has all ages of the standard. The country's people are those of the districts that are told: all of them, or none.
peopled as (
    select
        people.year,
        people.org_unit_uid,
        people.sex,
        sum(people.population) as population
    from people
    inner join {{ ref('world_standard_population') }} as standard on people.age_from = standard.age_from
    where people.population > 0
    group by people.year, people.org_unit_uid, people.sex
    having count(*) = (select count(*) from {{ ref('world_standard_population') }})
),

summed as (
    select
        cases.incidence_year,
        cases.level,
        cases.org_unit_uid,
        cases.sex,
        cases.site,
        sum(cases.cases)::bigint as cases,
        sum(cases.verified)::bigint as verified,
        sum(cases.death_certificate_only)::bigint as death_certificate_only,
        coalesce(sum(cases.cases) filter (where cases.age_from is null), 0)::bigint as of_unknown_age,
        coalesce(sum(cases.cases * standard.weight / people.population), 0) as standardised
    from cases
    left join {{ ref('world_standard_population') }} as standard on cases.age_from = standard.age_from
    left join people
        on cases.incidence_year = people.year
        and cases.org_unit_uid = people.org_unit_uid
        and cases.sex = people.sex
        and cases.age_from = people.age_from
        and people.population > 0
    group by 1, 2, 3, 4, 5
)

select
    {{ place_columns('summed') }},
    summed.incidence_year,
    summed.sex,
    summed.site,
    summed.cases,
    summed.of_unknown_age,
    peopled.population,
    100000 * summed.cases / peopled.population as crude_rate,
    case when peopled.population is not null then summed.standardised::double precision end as age_standardised_rate,
    summed.verified as morphologically_verified,
    (100.0 * summed.verified / summed.cases)::double precision as verified_share,
    summed.death_certificate_only,
    (100.0 * summed.death_certificate_only / summed.cases)::double precision as death_certificate_share
from summed
left join peopled
    on summed.incidence_year = peopled.year
    and summed.org_unit_uid = peopled.org_unit_uid
    and summed.sex = peopled.sex
{{ place_joins('summed') }}
