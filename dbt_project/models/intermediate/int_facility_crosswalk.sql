{{ config(
    tags=['monthly', 'clinical'],
    meta={'dagster': {'group': 'crosswalks', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['system', 'source_key'], 'unique': true}]
) }}

-- A system's codes stand alone. Names are no codes: CEMR, and referrals of HPEMR, name a facility by all that is beside its name.
with seen as (
    select
        *,
        case
            when system <> 'cemr' and source_code is not null then source_code
            else {{ facility_source_key('source_code', 'source_label', 'source_district') }}
        end as source_key,
        system <> 'cemr' and source_code is not null as is_code
    from {{ ref('int_code_use') }}
    where kind = 'facility' and coalesce(source_code, source_label) is not null
),

districts as (
    select distinct on (system, source_key) system, source_key, source_district
    from (
        select system, source_key, source_district, sum(records) as records
        from seen
        where source_district is not null
        group by system, source_key, source_district
    ) as counted
    order by system, source_key, records desc, source_district
),

codes as (
    select
        seen.system,
        seen.source_key,
        max(seen.source_code) as source_code,
        mode() within group (order by seen.source_label) as source_name,
        max(districts.source_district) as source_district,
        bool_or(seen.is_code) as is_code,
        sum(seen.records)::bigint as records,
        count(distinct seen.facility) as facilities,
        min(seen.first_day) as first_seen,
        max(seen.last_day) as last_seen
    from seen
    left join districts on seen.system = districts.system and seen.source_key = districts.source_key
    group by seen.system, seen.source_key
),

-- HPEMR's own list says where a post is and, of most, the FOSA code; of codes that it lacks only what was seen is known.
told as (
    select
        codes.system,
        codes.source_key,
        codes.source_code,
        codes.source_name,
        coalesce(posts.district, codes.source_district) as source_district,
        codes.is_code,
        codes.records,
        codes.facilities,
        codes.first_seen,
        codes.last_seen,
        posts.fosa_code as listed_fosa_code,
        posts.district is not null as is_district_listed
    from codes
    left join {{ ref('stg_hpemr__facilities') }} as posts
        on codes.system = 'hpemr' and codes.is_code and codes.source_code = posts.facility_code
),

prepared as (
    select
        codes.*,
        {{ fosa_code("case when codes.system = 'hpemr' then codes.listed_fosa_code else codes.source_code end") }}
            as fosa_code,
        {{ facility_name_key('codes.source_name') }} as name_key,
        {{ spelling_key(facility_name_key('codes.source_name')) }} as spelling_key,
        case
            when codes.system = 'cemr' then 'centre'
            when codes.system = 'hpemr' and codes.is_code then 'post'
            else {{ facility_kind_of_name('codes.source_name') }}
        end as kind,
        known.district_key,
        -- Where patients live says where their health post is, and not for certain.
        codes.system = 'hpemr' and not codes.is_district_listed as is_district_guessed
    from told as codes
    left join (select distinct district_key from {{ ref('int_facility_name') }}) as known
        on {{ district_name_key('codes.source_district') }} = known.district_key
),

-- By name only where no code is known: a code that the registry lacks is for people to look at.
by_rule as (
    select prepared.system, prepared.source_key, 1 as rank, 'fosa' as matched_by, 1.0 as confidence, names.facility_uid
    from prepared
    inner join {{ ref('int_facility_name') }} as names
        on prepared.fosa_code = names.fosa_code and names.is_fosa_unique
    union all
    select
        prepared.system,
        prepared.source_key,
        2,
        case when prepared.is_district_guessed then 'name and district of patients' else 'name and district' end,
        case when prepared.is_district_guessed then 0.9 else 0.95 end,
        names.facility_uid
    from prepared
    inner join {{ ref('int_facility_name') }} as names
        on prepared.name_key = names.name_key
        and prepared.district_key = names.district_key
        and coalesce(prepared.kind, names.kind) = names.kind
    where prepared.fosa_code is null
    union all
    select
        prepared.system,
        prepared.source_key,
        3,
        'spelling and district',
        0.9,
        names.facility_uid
    from prepared
    inner join {{ ref('int_facility_name') }} as names
        on prepared.spelling_key = names.spelling_key
        and prepared.district_key = names.district_key
        and coalesce(prepared.kind, names.kind) = names.kind
    where prepared.fosa_code is null and not prepared.is_district_guessed
    union all
    select
        prepared.system,
        prepared.source_key,
        4,
        'name alone',
        0.8,
        names.facility_uid
    from prepared
    inner join {{ ref('int_facility_name') }} as names
        on prepared.name_key = names.name_key and coalesce(prepared.kind, names.kind) = names.kind
    where prepared.fosa_code is null and (prepared.district_key is null or prepared.is_district_guessed)
),

-- What no rule found, compared letter by letter: in its district or, where that is not known, in the country.
letters as (
    select names.facility_uid, grams.trigram
    from {{ ref('int_facility_name') }} as names
    cross join lateral {{ trigrams("replace(names.name_key, ' ', '')") }} as grams
),

sizes as (
    select facility_uid, count(*) as trigrams from letters group by facility_uid
),

unfound as (
    select
        prepared.*,
        grams.trigram,
        count(*) over (partition by prepared.system, prepared.source_key) as trigrams
    from prepared
    cross join lateral {{ trigrams("replace(prepared.name_key, ' ', '')") }} as grams
    where not exists (
        select 1 from by_rule
        where by_rule.system = prepared.system and by_rule.source_key = prepared.source_key
    )
),

alike as (
    select
        unfound.system,
        unfound.source_key,
        names.facility_uid,
        count(*)::numeric / (max(unfound.trigrams) + max(sizes.trigrams) - count(*)) as similarity,
        -- A name that another district has as it is written: rather the district is wrong.
        bool_and(
            unfound.fosa_code is null and unfound.district_key is not null and not unfound.is_district_guessed
            and not exists (
                select 1 from {{ ref('int_facility_name') }} as elsewhere
                where elsewhere.name_key = unfound.name_key and coalesce(unfound.kind, elsewhere.kind) = elsewhere.kind
            )
        ) as may_match
    from unfound
    inner join letters on unfound.trigram = letters.trigram
    inner join sizes on letters.facility_uid = sizes.facility_uid
    inner join {{ ref('int_facility_name') }} as names
        on letters.facility_uid = names.facility_uid
        and coalesce(unfound.district_key, names.district_key) = names.district_key
        and coalesce(unfound.kind, names.kind) = names.kind
    group by unfound.system, unfound.source_key, names.facility_uid
),

candidates as (
    select system, source_key, rank, matched_by, confidence, facility_uid from by_rule
    union all
    select system, source_key, 5, 'similar name in the district', round(similarity, 2), facility_uid
    from alike
    where may_match and similarity >= {{ var('facility_name_similarity') }}
),

-- The first rule that finds something decides; where it finds several, none is right.
best as (
    select
        system,
        source_key,
        max(matched_by) as matched_by,
        max(confidence) as confidence,
        max(facility_uid) as facility_uid,
        count(distinct facility_uid) as found
    from candidates
    where (system, source_key, rank) in (select system, source_key, min(rank) from candidates group by system, source_key)
    group by system, source_key
),

hints as (
    select
        ranked.system,
        ranked.source_key,
        string_agg(
            facilities.name || coalesce(' (' || facilities.district_name || ')', ''), '; ' order by ranked.place
        ) as suggestion
    from (
        select *, row_number() over (partition by system, source_key order by likeness desc, facility_uid) as place
        from (
            select system, source_key, facility_uid, similarity as likeness from alike where similarity >= 0.3
            union
            select system, source_key, facility_uid, confidence from by_rule
        ) as every_one
    ) as ranked
    inner join {{ ref('dim_facility') }} as facilities
        on ranked.facility_uid = facilities.facility_uid and facilities.is_current
    where ranked.place <= 3
    group by ranked.system, ranked.source_key
)

select
    codes.system,
    codes.source_key,
    codes.source_code,
    codes.source_name,
    codes.source_district,
    case when best.found = 1 then best.facility_uid end as facility_uid,
    case when best.found = 1 then best.matched_by when best.found > 1 then 'several' else 'nothing' end as matched_by,
    case when best.found = 1 then best.confidence::double precision end as confidence,
    case when best.found = 1 then null else hints.suggestion end as suggestion,
    codes.records,
    codes.facilities,
    codes.first_seen,
    codes.last_seen
from told as codes
left join best on codes.system = best.system and codes.source_key = best.source_key
left join hints on codes.system = hints.system and codes.source_key = hints.source_key
