{{ config(
    tags=['reference'],
    meta={'dagster': {'group': 'facility_registry', 'owners': ['team:data-engineering']}},
    indexes=[{'columns': ['facility_key'], 'unique': true}, {'columns': ['facility_uid']}]
) }}

with versions as (
    select
        *,
        row_number() over (partition by facility_uid order by dbt_valid_from) = 1 as is_first
    from {{ ref('snp_facility') }}
),

-- The first version starts when the facility opened, since nothing older is known about it; a version cannot start
-- after it ended, whatever opening date the source gives.
dated as (
    select
        *,
        case
            when is_first
                then least(coalesce(opening_date, date '1900-01-01')::timestamp, dbt_valid_from)
            else dbt_valid_from
        end as valid_from
    from versions
),

members as (
    select
        dated.facility_uid,
        dated.valid_from,
        {%- for role in ['province', 'district', 'sub_district', 'sector'] %}
        max(member.uid) filter (where levels.role = '{{ role }}') as {{ role }}_uid{{ "," if not loop.last }}
        {%- endfor %}
    from dated
    cross join lateral unnest(string_to_array(btrim(dated.path, '/'), '/')) with ordinality as member (uid, level)
    inner join {{ ref('geographic_level') }} as levels on member.level = levels.level
    where member.uid <> dated.facility_uid
    group by dated.facility_uid, dated.valid_from
)

select
    md5(dated.facility_uid || '|' || to_char(dated.valid_from, 'YYYY-MM-DD"T"HH24:MI:SS.US')) as facility_key,
    dated.facility_uid,
    dated.fosa_code,
    dated.source_code,
    dated.name,
    dated.facility_type_code,
    types.name as facility_type,
    dated.ownership_code,
    owners.name as ownership,
    members.province_uid,
    provinces.name as province_name,
    members.district_uid,
    districts.name as district_name,
    members.sub_district_uid,
    sub_districts.name as sub_district_name,
    members.sector_uid,
    sectors.name as sector_name,
    dated.latitude,
    dated.longitude,
    dated.latitude is not null and dated.longitude is not null as has_coordinates,
    dated.opening_date,
    dated.closed_date,
    dated.valid_from,
    dated.dbt_valid_to as valid_to,
    dated.dbt_valid_to is null as is_current
from dated
left join members on dated.facility_uid = members.facility_uid and dated.valid_from = members.valid_from
left join {{ ref('facility_type') }} as types on dated.facility_type_code = types.facility_type_code
left join {{ ref('ownership') }} as owners on dated.ownership_code = owners.ownership_code
left join {{ ref('stg_hmis__organisation_units') }} as provinces on members.province_uid = provinces.org_unit_uid
left join {{ ref('stg_hmis__organisation_units') }} as districts on members.district_uid = districts.org_unit_uid
left join {{ ref('stg_hmis__organisation_units') }} as sub_districts
    on members.sub_district_uid = sub_districts.org_unit_uid
left join {{ ref('stg_hmis__organisation_units') }} as sectors on members.sector_uid = sectors.org_unit_uid
