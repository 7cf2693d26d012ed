{{ config(
    tags=['identity'],
    meta={'dagster': {'group': 'identity', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['patient_key'], 'unique': true}]
) }}

with records as (
    select
        assignments.patient_key,
        assignments.system,
        {{ sex_code('records.sex') }} as sex,
        records.birth_date,
        -- 1 January and 1 July stand for a year, but at a birth that was seen.
        records.birth_precision = 'day'
        and (extract(day from records.birth_date) <> 1 or extract(month from records.birth_date) not in (1, 7)) as is_day,
        {{ district_name_key('records.district') }} as district_key,
        records.recorded_on,
        records.died_on
    from {{ ref('stg_identity__assignments') }} as assignments
    -- A record that has gone since keeps its person until the next run.
    left join {{ ref('person_record') }} as records
        on assignments.system = records.system and assignments.record_id = records.record_id
),

-- A date of birth that most records have; of as many, one that is a day, and then the earliest.
births as (
    select distinct on (patient_key) patient_key, birth_date, is_day
    from (
        select patient_key, birth_date, bool_or(is_day) as is_day, count(*) as records
        from records
        where birth_date > date '1900-01-01' and birth_date <= current_date
        group by patient_key, birth_date
    ) as told
    order by patient_key, is_day desc, records desc, birth_date
),

places as (
    select distinct on (records.patient_key) records.patient_key, districts.geography_uid as district_uid
    from records
    inner join {{ ref('dim_geography') }} as districts
        on records.district_key = {{ district_name_key('districts.name') }} and districts.level = 'district'
    order by records.patient_key, records.recorded_on desc nulls last, districts.geography_uid
),

persons as (
    select
        patient_key,
        mode() within group (order by sex) as sex,
        count(distinct sex) > 1 as has_other_sex,
        min(died_on) as died_on,
        array_agg(distinct system order by system) as sources,
        count(*) as records,
        count(distinct system) as sources_seen_in,
        min(recorded_on) as first_seen_on,
        max(recorded_on) as last_seen_on
    from records
    group by patient_key
)

select
    persons.patient_key,
    persons.sex,
    persons.has_other_sex,
    births.birth_date,
    coalesce(births.is_day, false) as is_birth_day_known,
    extract(year from births.birth_date)::integer as birth_year,
    places.district_uid,
    districts.district_name as district,
    districts.province_name as province,
    case when persons.died_on is not null then 'dead' else 'not known to have died' end as vital_status,
    persons.died_on,
    persons.sources,
    persons.sources_seen_in,
    persons.records,
    persons.first_seen_on,
    persons.last_seen_on
from persons
left join births on persons.patient_key = births.patient_key
left join places on persons.patient_key = places.patient_key
left join {{ ref('dim_geography') }} as districts on places.district_uid = districts.geography_uid
