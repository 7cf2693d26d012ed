{{ config(materialized='view', tags=['reference']) }}

{%- set tracker = {
    'surname': 'records.surname', 'given_name': 'records.given_name', 'sex': 'records.sex',
    'birth_date': 'records.birth_date', 'birth_precision': "'day'", 'upi': 'records.upi',
    'facility': 'records.org_unit_uid', 'recorded_on': 'records.created_at', 'load_id': 'records.load_id'
} -%}
{#- 1 January 1900 stands for a day that is not known; the age may be. -#}
{%- set efiche_day = "case when records.date_of_birth > date '1900-01-01' then records.date_of_birth end" -%}
{%- set efiche_born = 'coalesce(' ~ efiche_day ~ ', case when records.age_years between 0 and 130 then make_date(extract(year from records.visit_date)::integer - records.age_years::integer, 7, 1) end)' -%}
{%- set mother = "nullif(concat_ws(' ', deliveries.family_name, deliveries.given_name), '')" -%}

-- Whom records are about is found out in Python, from here: one row a person as a source knows them. A system of visits
-- tells of a person each time: of every column the newest that is there.

-- A facility is its uid in the registry, whatever a system calls it; NULL where that is not known, which says nothing.
with fosa as (
    select fosa_code, facility_uid from {{ ref('int_facility_name') }} where is_fosa_unique
),

-- By its FOSA code where HPEMR lists one, else by name in its district, if one alone has that name there.
posts as (
    select listed.facility_code, min(names.facility_uid) as facility_uid
    from {{ ref('stg_hpemr__facilities') }} as listed
    inner join {{ ref('int_facility_name') }} as names
        on (names.is_fosa_unique and {{ fosa_code('listed.fosa_code') }} = names.fosa_code)
        or (
            {{ fosa_code('listed.fosa_code') }} is null
            and names.kind = 'post'
            and {{ facility_name_key('listed.name') }} = names.name_key
            and {{ district_name_key('listed.district') }} = names.district_key
        )
    group by listed.facility_code
    having count(distinct names.facility_uid) = 1
),

centres as (
    select name_key, district_key, min(facility_uid) as facility_uid
    from {{ ref('int_facility_name') }}
    where kind = 'centre'
    group by name_key, district_key
    having count(*) = 1
),

tb as (
    {{ person_records('tb', 'records.tracked_entity_uid', ref('stg_tb__tracked_entities'), dict(tracker, nid='records.nid',
        phone='records.phone', programme_numbers=programme_numbers({'tb': 'records.tb_register_no'}),
        sector='records.residence_sector', village='records.village', died_on='told.died_on'),
        told_by_events(ref('stg_tb__events'), {'died_on': "max(coalesce(tb_outcome_date, event_day)) filter (where tb_outcome = 'DIED')"})) }}
),

hiv as (
    {{ person_records('hiv', 'records.tracked_entity_uid', ref('stg_hiv__tracked_entities'), dict(tracker,
        surname='records.family_name', given_name='records.first_name', birth_date='records.date_of_birth',
        birth_precision=birth_precision('records.dob_estimated'), nid='records.nid', phone='records.phone',
        programme_numbers=programme_numbers({'tracnet': 'records.tracnet_id'}), district='records.district',
        sector='records.sector')) }}
),

immunization as (
    {{ person_records('immunization', 'records.tracked_entity_uid', ref('stg_immunization__tracked_entities'), dict(tracker,
        surname='records.child_names', given_name='null', sex='records.gender', birth_date='records.dob', upi='null',
        programme_numbers=programme_numbers({'epi': 'records.child_id'}), phone='records.parent_phone',
        mother_name='records.mother_names', mother_nid='records.parent_nid', district='records.residence_district',
        sector='records.residence_sector', village='records.residence_village', multiple_birth='told.multiple_birth'),
        told_by_events(ref('stg_immunization__events'), {'multiple_birth': 'bool_or(imm_multiple)'})) }}
),

cancer as (
    {{ person_records('cancer', 'records.tracked_entity_uid', ref('stg_cancer__tracked_entities'), dict(tracker,
        surname='records.cr_family_name', given_name='records.cr_first_name', sex='records.cr_sex',
        birth_date='records.cr_birth_date', nid='records.cr_nid', upi='null', phone='records.cr_phone',
        programme_numbers=programme_numbers({'cancer': 'records.cr_unique_id', 'cancer_new': 'records.cr_unique_id_new',
        'passport': 'records.cr_passport'}), died_on='told.died_on'),
        told_by_events(ref('stg_cancer__events'), {'died_on': 'max(cr_death_date)'})) }}
),

-- The birth order that registrations ask for is which of the mother's children it is, not which of twins.
crvs as (
    {{ person_records('crvs', 'records.tracked_entity_uid', ref('stg_crvs__tracked_entities'), dict(tracker, nid='records.nid',
        programme_numbers=programme_numbers({'crvs': 'records.crvs_act_no'}), phone='records.phone',
        mother_name='records.mother_name', mother_nid='records.mother_nid', sector='records.residence_sector',
        village='records.village', multiple_birth='told.multiple_birth', died_on='told.died_on'),
        told_by_events(ref('stg_crvs__events'), {'multiple_birth': 'bool_or(crv_plurality > 1)',
        'died_on': 'max(crv_death_date)'})) }}
),

birth_registration as (
    {{ person_records('birth_registration', 'records.tracked_entity_uid', ref('stg_birth_registration__tracked_entities'),
        dict(tracker, mother_name='records.mother_name', mother_nid='records.mother_nid', phone='records.phone',
        sector='records.residence_sector', village='records.village', multiple_birth='told.multiple_birth'),
        told_by_events(ref('stg_birth_registration__events'), {'multiple_birth': 'bool_or(brg_plurality > 1)'})) }}
),

maternal_death_audit as (
    {{ person_records('maternal_death_audit', 'records.tracked_entity_uid', ref('stg_maternal_death_audit__tracked_entities'),
        dict(tracker, nid='records.nid', phone='records.phone', sector='records.residence_sector', died_on='told.died_on'),
        told_by_events(ref('stg_maternal_death_audit__events'), {'died_on': 'max(mda_death_date)'})) }}
),

-- The date of a perinatal death is that of the birth, or days after it: the audit does not say which.
perinatal_death_audit as (
    {{ person_records('perinatal_death_audit', 'records.tracked_entity_uid', ref('stg_perinatal_death_audit__tracked_entities'),
        dict(tracker, mother_name='records.mother_name', mother_nid='records.mother_nid',
        multiple_birth='told.multiple_birth', died_on='records.birth_date'),
        told_by_events(ref('stg_perinatal_death_audit__events'), {'multiple_birth': 'bool_or(pda_plurality > 1)'})) }}
),

child_death_audit as (
    {{ person_records('child_death_audit', 'records.tracked_entity_uid', ref('stg_child_death_audit__tracked_entities'),
        dict(tracker, nid='records.nid', mother_name='records.mother_name', died_on='told.died_on'),
        told_by_events(ref('stg_child_death_audit__events'), {'died_on': 'max(cda_death_date)'})) }}
),

efiche as (
    {{ person_records('efiche', file_of_facility('records.facility_code', 'records.file_number', 'records.visit_id'),
        ref('stg_efiche__visits'), {'surname': 'records.family_name', 'given_name': 'records.given_name', 'sex': 'records.sex',
        'birth_date': efiche_born,
        'birth_precision': "case when records.date_of_birth > date '1900-01-01' then 'day' else 'age' end", 'nid': 'records.national_id',
        'upi': 'records.upi', 'phone': 'records.phone', 'district': 'records.district', 'sector': 'records.sector',
        'village': 'records.village', 'facility': 'fosa.facility_uid', 'recorded_on': 'records.visit_date',
        'told_by': 'records.visit_id', 'load_id': 'records.load_id'},
        'left join fosa on ' ~ fosa_code('records.facility_code') ~ ' = fosa.fosa_code') }}
),

hpemr as (
    {{ person_records('hpemr', file_of_facility('records.facility_code', 'records.file_number', 'records.encounter_id'),
        ref('stg_hpemr__encounters'), {'surname': 'records.full_name', 'sex': 'records.sex', 'birth_date': 'records.date_of_birth',
        'birth_precision': birth_precision('records.date_of_birth_estimated'), 'nid': 'records.national_id', 'upi': 'records.upi',
        'phone': 'records.phone', 'district': 'records.district', 'sector': 'records.sector', 'village': 'records.village',
        'facility': 'posts.facility_uid', 'recorded_on': local_day('records.started_at'), 'told_by': 'records.encounter_id',
        'load_id': 'records.load_id'}, 'left join posts on records.facility_code = posts.facility_code') }}
),

cemr as (
    {{ person_records('cemr', 'records.patient_id', ref('stg_cemr__patients'), {'surname': 'records.family_name',
        'given_name': 'records.given_name', 'sex': 'records.sex', 'birth_date': 'records.date_of_birth',
        'birth_precision': birth_precision('records.date_of_birth_estimated'), 'nid': 'records.national_id', 'phone': 'records.phone',
        'mother_name': 'records.mother_name', 'district': 'records.facility_district', 'village': 'records.village',
        'facility': 'centres.facility_uid', 'recorded_on': 'records.registered_on', 'load_id': 'records.load_id'},
        'left join centres on ' ~ facility_name_key('records.facility_name') ~ ' = centres.name_key and '
        ~ district_name_key('records.facility_district') ~ ' = centres.district_key') }}
),

{% for resource, key, day in [
    ('pregnancies', 'pregnancy_id', 'registered_at'), ('deliveries', 'delivery_id', 'delivered_at'),
    ('postnatal_contacts', 'postnatal_contact_id', 'encounter_at')
] %}
ebuzima_{{ resource }} as (
    {{ person_records('ebuzima', 'records.patient_id', ref('stg_ebuzima__' ~ resource), {'surname': 'records.family_name',
        'given_name': 'records.given_name', 'sex': "'F'", 'birth_date': 'records.date_of_birth',
        'birth_precision': birth_precision('records.date_of_birth_estimated'), 'nid': 'records.national_id', 'upi': 'records.upi',
        'phone': 'records.phone', 'sector': 'records.sector', 'village': 'records.village',
        'facility': 'fosa.facility_uid', 'recorded_on': local_day('records.' ~ day),
        'told_by': "'" ~ resource ~ "/' || records." ~ key, 'load_id': 'records.load_id'},
        'left join fosa on ' ~ fosa_code('records.facility_code') ~ ' = fosa.fosa_code') }}
),
{% endfor %}

-- A newborn has no name yet: it is known by its mother's.
ebuzima_newborn as (
    {{ person_records('ebuzima_newborn', 'records.newborn_id', ref('stg_ebuzima__newborns'), {'sex': 'records.sex',
        'birth_date': local_day('records.born_at'), 'birth_precision': "'day'", 'birth_order': 'records.birth_order',
        'multiple_birth': 'deliveries.babies > 1', 'upi': 'records.upi', 'phone': 'deliveries.phone', 'mother_name': mother,
        'mother_nid': 'deliveries.national_id', 'sector': 'deliveries.sector', 'village': 'deliveries.village',
        'facility': 'fosa.facility_uid', 'recorded_on': local_day('records.born_at'),
        'died_on': "coalesce(records.death_date, case when records.outcome like '%STILLBIRTH%' then " ~ local_day('records.born_at') ~ ' end)',
        'load_id': 'records.load_id'},
        'left join ' ~ ref('stg_ebuzima__deliveries') ~ ' as deliveries on records.delivery_id = deliveries.delivery_id '
        ~ 'left join fosa on ' ~ fosa_code('records.facility_code') ~ ' = fosa.fosa_code') }}
),

every as (
    {% for source in [
        'tb', 'hiv', 'immunization', 'cancer', 'crvs', 'birth_registration', 'maternal_death_audit',
        'perinatal_death_audit', 'child_death_audit', 'efiche', 'hpemr', 'cemr', 'ebuzima_pregnancies', 'ebuzima_deliveries',
        'ebuzima_postnatal_contacts', 'ebuzima_newborn'
    ] %}
    select * from {{ source }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    system,
    record_id,
    {%- for name in ['surname', 'given_name', 'sex'] %}
    {{ newest(name) }} as {{ name }},
    {%- endfor %}
    -- A day before a year or an age, whichever is newer.
    {{ newest('birth_date', "birth_precision = 'day' desc", 'birth_date') }} as birth_date,
    {{ newest('birth_precision', "birth_precision = 'day' desc", 'birth_date') }} as birth_precision,
    {{ newest('birth_order') }} as birth_order,
    bool_or(multiple_birth) as multiple_birth,
    {{ newest('nid') }} as nid,
    {{ newest('upi') }} as upi,
    -- As text: an aggregate of lists would be one of two dimensions.
    ({{ newest('programme_numbers', what='programme_numbers::text') }})::text[] as programme_numbers,
    {%- for name in [
        'phone', 'mother_name', 'mother_nid', 'district', 'sector', 'cell', 'village', 'facility', 'recorded_on', 'died_on'
    ] %}
    {{ newest(name) }} as {{ name }},
    {%- endfor %}
    max(load_id) as load_id
from every
where record_id is not null
group by system, record_id
