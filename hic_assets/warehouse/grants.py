"""Make the grants and policies of analysts, officers and districts what they should be, relation by relation; after every dbt build too.

Belongs here: the catalogue as it is, and the statements that change it. Does not: who may read what (``reading``), the roles
themselves and what only an administrator may do (``roles``).

One transaction: a relation gets its policy before its grant, and what was dropped and made anew is denied until then.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from psycopg import Connection, sql
from psycopg.errors import LockNotAvailable

from hic_assets.warehouse.reading import MARTS, PLACE_COLUMNS, REPORTS, Relation, Verdict, decide
from hic_assets.warehouse.schema import SCHEMAS

LOCK_TIMEOUT = "2s"
ATTEMPTS = 30
ACCESS = "access"

_CATALOGUE = """
select c.oid::bigint, n.nspname, c.relname, c.relkind::text,
    array(select array[a.attname, format_type(a.atttypid, null)] from pg_attribute a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum) as columns,
    array(select distinct d.refobjid::bigint from pg_rewrite r
          join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
              and d.refclassid = 'pg_class'::regclass and d.refobjid <> c.oid
          where r.ev_class = c.oid and c.relkind in ('v', 'm')) as reads,
    'security_invoker=true' = any(coalesce(c.reloptions, '{}')) as runs_as_reader,
    array_to_string(c.reloptions, ' ') ~ 'security_barrier=' as has_barrier_decided,
    c.relrowsecurity,
    pg_get_userbyid(c.relowner)::text as owner,
    array(select p.polname::text from pg_policy p where p.polrelid = c.oid) as policies,
    array(select distinct coalesce(g.rolname::text, 'public') || ' ' || lower(acl.privilege_type)
          from (select c.relacl as held union all
                select a.attacl from pg_attribute a where a.attrelid = c.oid and a.attacl is not null) as lists
          cross join lateral aclexplode(lists.held) as acl
          left join pg_roles g on g.oid = acl.grantee) as grants
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v', 'm', 'f')
order by n.nspname, c.relname
"""

_PLACES = """
with units as (
    select u.org_unit_uid as id, u.role, coalesce(d.district_code, u.district_uid) as district, u.province_uid
    from intermediate.int_org_unit u
    left join dwh.dim_geography d on d.geography_uid = u.district_uid
),
parts as (
    select id, district from units where district is not null
    union
    select p.id, u.district from units p join units u on u.province_uid = p.id
    where p.role = 'province' and u.district is not null
),
wanted as (
    select kinds.kind, id, district, false as is_national
    from parts cross join (values ('org_unit'), ('whole')) as kinds (kind)
    union
    select 'org_unit', id, null, true from units where role = 'country'
    union
    select 'district_code', district, district, false from units where role = 'district' and district is not null
    union
    select names.kind, names.id, u.district, false
    from dwh.dim_facility f join units u on u.id = f.facility_uid
    cross join lateral (values ('facility_key', f.facility_key), ('fosa_code', f.fosa_code)) as names (kind, id)
    where names.id is not null and u.district is not null
),
gone as (
    delete from access.place p
    where not exists (select from wanted w
                      where (w.kind, w.id) = (p.kind, p.id) and w.district is not distinct from p.district)
)
insert into access.place (kind, id, district, is_national)
select kind, id, district, is_national from wanted
on conflict do nothing
"""


@dataclass(frozen=True)
class Roles:
    """Names of the five roles, which belong to the whole server; the prefix keeps those of two warehouses apart."""

    prefix: str = "hic"

    @property
    def loader(self) -> str:
        """Lands: owns ``raw``, ``raw_partitions`` and ``ops``."""
        return f"{self.prefix}_loader"

    @property
    def transformer(self) -> str:
        """Builds: owns what dbt makes, reads ``raw``."""
        return f"{self.prefix}_transformer"

    @property
    def analyst(self) -> str:
        """Reads the marts."""
        return f"{self.prefix}_analyst"

    @property
    def officer(self) -> str:
        """Reads reports alone, in which small cells are kept back: programme officers and what they look at."""
        return f"{self.prefix}_officer"

    @property
    def district(self) -> str:
        """Reads the rows of its own districts in the marts."""
        return f"{self.prefix}_district"

    @property
    def names(self) -> tuple[str, ...]:
        """All five."""
        return self.loader, self.transformer, *self.readers

    @property
    def readers(self) -> tuple[str, str, str]:
        """Those that change nothing."""
        return self.analyst, self.officer, self.district

    @property
    def owners(self) -> dict[str, str]:
        """Schema to the role that its relations belong to."""
        landed = ("raw", "raw_partitions", "ops")
        return {schema: self.loader if schema in landed else self.transformer for schema in SCHEMAS}


@dataclass(frozen=True)
class Held:
    """A relation, what is granted on it now, and the verdict on it."""

    relation: Relation
    has_policies: bool
    owner: str
    policies: frozenset[str]
    grants: frozenset[str]
    verdict: Verdict


def roles_in_use(connection: Connection[Any]) -> Roles | None:
    """The roles of this warehouse; None where ``hic roles apply`` was never done."""
    there = connection.execute(
        "select from pg_class where relname = 'role_set' and relnamespace = to_regnamespace(%s)", (ACCESS,)
    ).fetchone()
    found = connection.execute("select prefix from access.role_set").fetchone() if there is not None else None
    return None if found is None else Roles(found[0])


def catalogue(connection: Connection[Any]) -> list[Held]:
    """Every relation of the warehouse's schemas as it stands, with the verdict on it."""
    rows = connection.execute(_CATALOGUE.encode(), ([*SCHEMAS],)).fetchall()
    relations = [Relation(r[0], r[1], r[2], r[3], dict(r[4]), frozenset(r[5]), r[6], bool(r[7])) for r in rows]
    verdicts = decide(relations)
    return [
        Held(relation, row[8], row[9], frozenset(row[10]), frozenset(row[11]), verdicts[relation.oid])
        for relation, row in zip(relations, rows, strict=True)
    ]


def grant_reading(connection: Connection[Any], roles: Roles) -> list[str]:
    """Bring owners, policies and grants of all relations in line, and the places up to date; gives what was changed.

    Needs the rights of both owning roles, and no administrator. Waits for readers in short turns, as a landing does.
    Raises LockNotAvailable where they held a table throughout; then nothing has changed.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with connection.transaction():
                connection.execute(sql.SQL("set local lock_timeout = {}").format(LOCK_TIMEOUT))
                connection.execute("select pg_advisory_xact_lock(hashtext('hic roles'))")
                return _bring_in_line(connection, roles)
        except LockNotAvailable:
            if attempt == ATTEMPTS:
                raise
            time.sleep(min(attempt, 5))
    raise AssertionError


def grant_reading_if_used(connection: Connection[Any]) -> list[str]:
    """``grant_reading`` where this warehouse has roles: what a build ends with."""
    roles = roles_in_use(connection)
    return [] if roles is None else grant_reading(connection, roles)


def create_access(connection: Connection[Any]) -> None:
    """Create the schema ``access`` and what is in it."""
    connection.execute(files(__package__).joinpath("access.sql").read_bytes())


def _bring_in_line(connection: Connection[Any], roles: Roles) -> list[str]:
    held, ours, readers = catalogue(connection), _schemas_of_user(connection, roles), _readers(connection, roles)
    statements = [
        statement for one in held if one.relation.schema in ours for statement in _statements(one, roles, readers)
    ]
    for statement in statements:
        connection.execute(statement)
    if {"dwh.dim_facility", "dwh.dim_geography", "intermediate.int_org_unit"} <= {str(one.relation) for one in held}:
        connection.execute(_PLACES)
    return [statement.as_string(connection) for statement in statements]


def _schemas_of_user(connection: Connection[Any], roles: Roles) -> set[str]:
    """Schemas whose relations the user may change: a login that only builds leaves what is landed alone."""
    owners = [roles.loader, roles.transformer]
    rows = connection.execute("select o from unnest(%s::text[]) o where pg_has_role(o, 'USAGE')", (owners,)).fetchall()
    return {schema for schema, owner in roles.owners.items() if (owner,) in rows}


def _readers(connection: Connection[Any], roles: Roles) -> frozenset[str]:
    """The reading roles that are there: one that hic has learnt of since comes with the next ``hic roles apply``."""
    rows = connection.execute("select rolname::text from pg_roles where rolname = any(%s)", ([*roles.readers],))
    return frozenset(name for (name,) in rows.fetchall())


def _statements(held: Held, roles: Roles, readers: frozenset[str]) -> Iterator[sql.Composed]:
    """What has to be done for one relation to be as decided: taken away first, given last."""
    relation = held.relation
    name = sql.Identifier(relation.schema, relation.name)
    # A partition stays with whoever landed it: it is swapped and dropped by the rights on its parent and its schema.
    owner = roles.owners[relation.schema]
    if held.owner != owner and relation.schema != "raw_partitions":
        kind = {"v": "view", "m": "materialized view", "f": "foreign table"}.get(relation.kind, "table")
        yield sql.SQL("alter {} {} owner to {}").format(sql.SQL(kind), name, sql.Identifier(owner))
    if relation.kind == "v" and relation.schema in MARTS and not relation.runs_as_reader:
        yield sql.SQL("alter view {} set (security_invoker = true)").format(name)
    if relation.kind == "v" and relation.schema == REPORTS and not relation.has_barrier_decided:
        yield sql.SQL("alter view {} set (security_barrier = true)").format(name)
    if relation.is_table:
        yield from _policies(held, roles, readers, name)
    yield from _grants(held, roles, readers, name)


def _policies(held: Held, roles: Roles, readers: frozenset[str], name: sql.Identifier) -> Iterator[sql.Composed]:
    """Row-level security where a reader may not see all of a table. Its owner, who builds it, is not held to it."""
    wanted = {
        policy: rows for policy, rows in _wanted_policies(held, roles).items() if policy.split(": ")[0] in readers
    }
    for policy in sorted(held.policies - set(wanted)):
        yield sql.SQL("drop policy {} on {}").format(sql.Identifier(policy), name)
    if wanted and not held.has_policies:
        yield sql.SQL("alter table {} enable row level security").format(name)
    for policy, rows in wanted.items():
        if policy not in held.policies:
            yield sql.SQL("create policy {} on {} for select to {} using ({})").format(
                sql.Identifier(policy), name, sql.Identifier(policy.partition(": ")[0]), sql.SQL(rows)
            )
    if not wanted and held.has_policies and held.verdict.analyst:
        yield sql.SQL("alter table {} disable row level security").format(name)


def _wanted_policies(held: Held, roles: Roles) -> dict[str, str]:
    """Name of a policy to its condition, where a table says of its rows where they belong or stands below a report.

    The latter for pg_stats, which shows the commonest values of what somebody may read, and of tables with policies none. What
    districts may read whole, of no place and person, needs none.
    """
    verdict = held.verdict
    is_below = verdict.officer and held.relation.schema != REPORTS and not verdict.district
    if verdict.place is None and not is_below:
        return {}
    wanted = {f"{roles.analyst}: all": "true"}
    if verdict.officer:
        wanted[f"{roles.officer}: all"] = "true"
    if verdict.place is not None:
        wanted[f"{roles.district}: {verdict.place}"] = _own_rows(verdict.place)
    return wanted


def _own_rows(column: str) -> str:
    kind = PLACE_COLUMNS[column]
    return f"{column}::text in (select my_place.id from access.my_place where my_place.kind = '{kind}')"


def _grants(held: Held, roles: Roles, readers: frozenset[str], name: sql.Identifier) -> Iterator[sql.Composed]:
    """Nothing to PUBLIC, SELECT to whom it is due, and nothing else to any reader, on columns neither."""
    all_may = zip(roles.readers, held.verdict.readers, strict=True)
    reads = {role: may for role, may in all_may if role in readers} | {"public": False}
    if held.relation.schema in ("raw", "ops"):
        reads[roles.transformer] = True
    for role, may_read in reads.items():
        granted = {grant.partition(" ")[2] for grant in held.grants if grant.partition(" ")[0] == role}
        grantee = sql.SQL("public") if role == "public" else sql.Identifier(role)
        surplus = granted - ({"select"} if may_read else set())
        if surplus and role != roles.transformer:
            yield sql.SQL("revoke all on {} from {}").format(name, grantee)
            granted = set()
        if may_read and "select" not in granted:
            yield sql.SQL("grant select on {} to {}").format(name, grantee)
