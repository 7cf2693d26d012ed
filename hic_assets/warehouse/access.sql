-- Which login is of which districts, and which place lies in which. Idempotent. Not in `ops`: the loader, who owns that schema,
-- has no say in who reads what. Only the policies of tables read access.my_place, with the rights of whoever asks.

create schema if not exists access;

create table if not exists access.role_set (
    only_one boolean primary key default true check (only_one),
    prefix text not null
);
comment on table access.role_set is 'With what the names of this warehouse''s roles begin.';

create table if not exists access.user_district (
    login text not null,
    district text not null,
    granted_by text not null default session_user,
    granted_at timestamptz not null default clock_timestamp(),
    primary key (login, district)
);
comment on table access.user_district is 'Districts of which a login that is in the role of districts may read rows.';
comment on column access.user_district.district is 'Code of the district (seed district), else its uid in the registry.';

create table if not exists access.place (
    kind text not null check (kind in ('org_unit', 'facility_key', 'fosa_code', 'district_code', 'whole')),
    id text not null,
    district text,
    is_national boolean not null default false,
    check (is_national = (district is null)),
    unique nulls not distinct (kind, id, district)
);
comment on table access.place is
    'A row a place and district that it has a part in; of the country one row without. Written after every dbt build.';

-- A place is somebody's when all districts it has a part in are: a province's figure, less a district's, is another's.
create or replace view access.my_place with (security_barrier = true) as
select kind, id
from access.place
group by kind, id
having bool_and(
    is_national or district in (select mine.district from access.user_district as mine where mine.login = current_user)
);
comment on view access.my_place is 'The places whose rows the current user may read, being in the role of districts.';

revoke all on schema access from public;
revoke all on all tables in schema access from public;
