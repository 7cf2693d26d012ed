"""A small warehouse by hand with roles and logins in them, for tests that try to get past them.

Three districts in two provinces, a facility each; F1 to F3 in D1 to D3. Every number and name of a district other than D1's
tells where it is from, so that it is known when it is seen.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from hic_assets.prepare import prepare
from hic_assets.warehouse import Warehouse
from hic_assets.warehouse.grants import Roles
from hic_assets.warehouse.roles import add_login, apply_roles

NAME = "MUKAMANA-secret"
PASSWORD = "for tests only"

WORLD = f"""
insert into raw.cemr_patients (patient_id, family_name, national_id, phone, _partition, _load_id)
values ('P-1', '{NAME}', '119908{NAME}', '078{NAME}', '2024-01-01', 1);
insert into ops.load (system, table_name, status) values ('cemr', 'patients', 'failed');
insert into ops.quarantine (load_id, rule, reason, row_text) select load_id, 'r', 'r', '{NAME}' from ops.load;
create view staging.stg_cemr__patients as select patient_id, family_name, national_id from raw.cemr_patients;
create table staging.idsr_disease (disease_code text, name text);
insert into staging.idsr_disease values ('MAL', 'Malaria');
create table identity.person (person_id bigint generated always as identity, name text);
insert into identity.person (name) values ('{NAME}');

create table intermediate.int_org_unit (org_unit_uid text, name text, role text, district_uid text, province_uid text);
insert into intermediate.int_org_unit values
    ('RW', 'Country', 'country', null, null),
    ('P1', 'One', 'province', null, 'P1'), ('P2', 'Two', 'province', null, 'P2'),
    ('D1', 'First', 'district', 'D1', 'P1'), ('D2', 'Second', 'district', 'D2', 'P1'),
    ('D3', 'Third', 'district', 'D3', 'P2'),
    ('F1', 'Health 1', 'facility', 'D1', 'P1'), ('F2', 'Health 2', 'facility', 'D2', 'P1'),
    ('F3', 'Health 3', 'facility', 'D3', 'P2'), ('LOST', 'Nowhere', 'facility', null, null);
create table intermediate.int_patient_link (patient_id text, family_name text);
create view intermediate.int_patients as select family_name from staging.stg_cemr__patients;

create table dwh.dim_geography (geography_uid text, name text, district_uid text, district_code text);
insert into dwh.dim_geography
select org_unit_uid, name, district_uid, '10' || substr(district_uid, 2)
from intermediate.int_org_unit where role <> 'facility';
create table dwh.dim_facility (facility_key text, facility_uid text, fosa_code text, name text, district_uid text);
insert into dwh.dim_facility select 'k' || org_unit_uid, org_unit_uid, '40' || org_unit_uid, name, district_uid
from intermediate.int_org_unit where role = 'facility';
create table dwh.dim_period (period_start date);
insert into dwh.dim_period values ('2024-01-01');
create table dwh.fct_visit (
    visit_key uuid default gen_random_uuid(), patient_source_key uuid default gen_random_uuid(), facility_uid text,
    source_facility_code text, disease_code text, note text, amount integer
);
insert into dwh.fct_visit (facility_uid, source_facility_code, disease_code, note, amount)
select f, f, 'MAL', 'of ' || coalesce(f, 'nobody'), case f when 'F1' then 1 else 0 end
from unnest(array['F1', 'F2', 'F3', 'LOST', null]) f, generate_series(1, 400);
create table dwh.fct_programme_month (org_unit_uid text, level text, records bigint);
insert into dwh.fct_programme_month values
    ('RW', 'country', 6), ('P1', 'province', 3), ('P2', 'province', 3), ('D1', 'district', 1), ('D2', 'district', 2),
    ('D3', 'district', 3), ('F1', 'facility', 1), ('F2', 'facility', 2), ('F3', 'facility', 3), ('X', 'unmapped', 9);
create table dwh.fct_person_event (patient_source_key uuid, happened date);
insert into dwh.fct_person_event values (gen_random_uuid(), '2024-01-05');
create table dwh.fct_moved (home_district text, movers integer);
insert into dwh.fct_moved values ('D3', 7);
create table dwh.dim_patient (patient_key uuid default gen_random_uuid(), sex text, district_code text);
insert into dwh.dim_patient (sex, district_code) values ('F', '101'), ('M', '102'), ('F', '103');
create materialized view dwh.fct_frozen as select facility_uid, count(*) as visits from dwh.fct_visit group by 1;
analyze;

create view reporting.rpt_visits as
select f.name as facility, f.district_uid, v.disease_code, d.name as disease, v.note, v.amount
from dwh.fct_visit v left join dwh.dim_facility f on f.facility_uid = v.facility_uid
left join staging.idsr_disease d on d.disease_code = v.disease_code;
create view reporting.rpt_of_view as select facility, sum(amount) as amount from reporting.rpt_visits group by facility;
create view reporting.rpt_units as select org_unit_uid, name from intermediate.int_org_unit;
create view reporting.rpt_large as select facility_uid, note, amount from dwh.fct_visit where amount > 0;
create view reporting.rpt_moved as select * from dwh.fct_moved;
create view reporting.rpt_patients as select family_name from staging.stg_cemr__patients;
create view reporting.rpt_patients_deep as select family_name from intermediate.int_patients;
"""


@dataclass
class World:
    """The warehouse, its roles and the logins in them."""

    warehouse: Warehouse
    roles: Roles

    def login(self, role: str) -> str:
        return f"{self.roles.prefix}_{role}_login"

    def of(self, role: str) -> Warehouse:
        """The warehouse as the login of a role sees it."""
        return Warehouse({**self.warehouse.params, "user": self.login(role), "password": PASSWORD})

    def ask(self, role: str, query: str) -> list[tuple[Any, ...]]:
        """What a login gets for a statement; committed."""
        with self.of(role).connect() as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def refused(self, role: str, query: str) -> str:
        """What PostgreSQL says when it refuses a statement. A statement that it does not refuse fails the test."""
        try:
            got = self.ask(role, query)
        except psycopg.Error as error:
            assert NAME not in str(error)
            assert isinstance(error, psycopg.errors.InsufficientPrivilege | psycopg.errors.FeatureNotSupported), error
            return str(error)
        raise AssertionError(f"{role} may: {query}: {got[:3]}")

    def admin(self, query: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def add(self, name: str, role: str, *districts: str) -> None:
        with self.warehouse.connect(autocommit=True) as connection:
            add_login(connection, self.login(name), role, districts)
            password = sql.SQL("alter role {} password {}").format(
                sql.Identifier(self.login(name)), sql.Literal(PASSWORD)
            )
            connection.execute(password)

    def apply(self) -> list[str]:
        with self.warehouse.connect(autocommit=True) as connection:
            return apply_roles(connection, self.roles.prefix)


@contextmanager
def roles_on(warehouse: Warehouse) -> Iterator[World]:
    """Roles of a test's own on its database, and no trace of them on the server afterwards."""
    world = World(warehouse, Roles(f"t{uuid.uuid4().hex[:8]}"))
    try:
        yield world
    finally:
        names = world.admin(f"select rolname from pg_roles where rolname like '{world.roles.prefix}%'")
        with warehouse.connect(autocommit=True) as connection:
            for (name,) in names:
                connection.execute(sql.SQL("reassign owned by {} to current_user").format(sql.Identifier(name)))
            for (name,) in names:
                connection.execute(sql.SQL("drop owned by {0}; drop role {0}").format(sql.Identifier(name)))


@contextmanager
def small_world(warehouse: Warehouse) -> Iterator[World]:
    """The world above, with an analyst, an officer, a district's login, one of each worker, and one who is in no role."""
    with warehouse.connect(autocommit=True) as connection:
        prepare(connection)
        connection.execute(WORLD.encode())
    with roles_on(warehouse) as world:
        world.apply()
        for role in ("analyst", "officer", "loader", "transformer", "pipeline"):
            world.add(role, role)
        world.add("district", "district", "101")
        world.add("province", "district", "101", "102")
        yield world


def rows_of(world: World, role: str, query: str) -> list[tuple[Any, ...]]:
    """Sorted rows."""
    return sorted(world.ask(role, query), key=repr)


def notices(world: World, role: str, query: str) -> tuple[list[str], str]:
    """What the server said aside while it ran a statement, and its error if any."""
    said: list[str] = []
    error = ""
    with world.of(role).connect() as connection:
        connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
        try:
            connection.execute(query.encode())
        except psycopg.Error as caught:
            error = str(caught)
        with suppress(psycopg.Error):
            connection.rollback()
    return said, error
