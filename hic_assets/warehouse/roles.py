"""The five roles, their rights on schemas, and the logins in them.

Belongs here: roles, memberships, schemas, defaults for what is made later, districts of logins. Does not: which relation who
may read (``reading``), grants and policies of relations (``grants``). Passwords are never seen: who administers the server
sets them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import Connection, sql
from psycopg.errors import InsufficientPrivilege

from hic_assets.warehouse.errors import WarehouseError
from hic_assets.warehouse.grants import Roles, create_access, grant_reading, roles_in_use
from hic_assets.warehouse.schema import SCHEMAS

READERS = ("analyst", "officer", "district")
WORKERS = ("loader", "transformer", "pipeline")
"""What a login can be that is no reader; ``pipeline`` is both others: what the code location runs as."""


class AdministratorNeeded(WarehouseError):
    """The user may not create roles: ``statements`` are for somebody who may."""

    def __init__(self, what: str, statements: str) -> None:
        super().__init__(
            f"the user of HIC_WAREHOUSE_URL may not {what}. An administrator of the server runs, in this database:\n\n"
            f"{statements}\n\nThen run the same command again."
        )
        self.statements = statements


@dataclass(frozen=True)
class Login:
    """A login in one of the roles. ``districts``: of the role of districts only."""

    name: str
    role: str
    districts: tuple[str, ...]


def apply_roles(connection: Connection[Any], prefix: str | None = None) -> list[str]:
    """Create and grant everything, or what is missing of it; gives the statements that changed relations.

    Idempotent. ``prefix``: of the roles' names, kept from the first time.
    Raises AdministratorNeeded where the user may not create roles or change the database.
    """
    held = roles_in_use(connection)
    if held is not None and prefix not in (None, held.prefix):
        raise WarehouseError(f'this warehouse\'s roles begin with "{held.prefix}", not with "{prefix}".')
    roles = held or Roles(prefix or "hic")
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('hic roles'))")
        _create_roles(connection, roles)
        create_access(connection)
        connection.execute("insert into access.role_set (prefix) values (%s) on conflict do nothing", (roles.prefix,))
        for statement in _of_schemas(roles, _user(connection)):
            connection.execute(statement)
        _own_functions(connection, roles)
    return grant_reading(connection, roles)


def add_login(connection: Connection[Any], name: str, role: str, districts: Sequence[str] = ()) -> bool:
    """Put a login into one role and out of the others, and give it its districts; whether the login had to be created.

    It is created without a password.
    Raises WarehouseError: no roles, an unknown district, a login whom no policy holds; AdministratorNeeded.
    """
    roles = _roles(connection)
    _check_role(connection, roles, role)
    _check_districts(connection, role, districts)
    found = connection.execute(
        "select rolsuper or rolbypassrls, rolcanlogin from pg_roles where rolname = %s", (name,)
    ).fetchone()
    if name in roles.names:
        raise WarehouseError(f'"{name}" is one of the roles, no login.')
    if found is not None and (found[0] or not found[1]):
        raise WarehouseError(f'"{name}" cannot be used: a superuser, a role without login, or past row-level security.')
    statements = _of_login(connection, roles, name, role, found is None)
    with connection.transaction():
        _as_administrator(connection, statements, "give roles to logins")
        connection.execute("delete from access.user_district where login = %s", (name,))
        for district in sorted(set(districts)):
            connection.execute("insert into access.user_district (login, district) values (%s, %s)", (name, district))
    return found is None


def remove_login(connection: Connection[Any], name: str) -> None:
    """Take a login out of all roles and its districts from it; the login itself stays.

    Raises WarehouseError: no such login; AdministratorNeeded.
    """
    roles = _roles(connection)
    if not _is_there(connection, name):
        raise WarehouseError(f'there is no login "{name}" on this server.')
    statements = [
        sql.SQL("revoke {} from {}").format(sql.Identifier(held), sql.Identifier(name))
        for held in _roles_of(connection, roles, name)
    ]
    with connection.transaction():
        _as_administrator(connection, statements, "take roles from logins")
        connection.execute("delete from access.user_district where login = %s", (name,))


def logins(connection: Connection[Any]) -> list[Login]:
    """Who is in which of the roles, straight or through another role."""
    roles = _roles(connection)
    rows = connection.execute(
        """select u.rolname::text, r.rolname::text,
                  array(select district from access.user_district d where d.login = u.rolname order by 1)
           from pg_roles u join pg_roles r on r.rolname = any(%s) and r.oid <> u.oid
           where u.rolcanlogin and not u.rolsuper and pg_has_role(u.oid, r.oid, 'MEMBER') order by 1, 2""",
        (list(roles.names),),
    ).fetchall()
    return [Login(name, role.removeprefix(f"{roles.prefix}_"), tuple(mine)) for name, role, mine in rows]


def _roles(connection: Connection[Any]) -> Roles:
    roles = roles_in_use(connection)
    if roles is None:
        raise WarehouseError("this warehouse has no roles yet: 'hic roles apply' makes them.")
    return roles


def _create_roles(connection: Connection[Any], roles: Roles) -> None:
    """The roles, the user's own part in the owning ones, and who may connect."""
    rows = connection.execute("select rolname from pg_roles where rolname = any(%s)", (list(roles.names),)).fetchall()
    missing = [name for name in roles.names if (name,) not in rows]
    wanted = [sql.SQL("create role {} nologin").format(sql.Identifier(name)) for name in missing]
    user = sql.Identifier(_user(connection))
    for owner in (roles.loader, roles.transformer):
        if owner in missing or not _says_yes(connection, "select pg_has_role(%s, 'USAGE')", owner):
            wanted.append(sql.SQL("grant {} to {}").format(sql.Identifier(owner), user))
    if missing or not _database_is_closed(connection, roles):
        wanted += _of_database(roles, connection.info.dbname)
    _as_administrator(connection, wanted, "create roles, or does not own the database")
    # Without the right to, PostgreSQL revokes and grants nothing, with no more than a warning.
    if not _database_is_closed(connection, roles):
        raise AdministratorNeeded("change the rights on the database", _script(connection, wanted))


def _database_is_closed(connection: Connection[Any], roles: Roles) -> bool:
    return _says_yes(
        connection,
        """select not exists (
                      select from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) acl
                      where d.datname = current_database() and acl.grantee = 0)
                  and (select bool_and(has_database_privilege(r, current_database(), 'CONNECT')) from unnest(%s::text[]) r)
                  and (select bool_and(has_database_privilege(r, current_database(), 'CREATE')) from unnest(%s::text[]) r)""",
        list(roles.names),
        [roles.loader, roles.transformer],
    )


def _of_database(roles: Roles, database: str) -> list[sql.Composed]:
    """No stranger connects; no reader makes temporary objects, as functions of one's own are how policies are spied on."""
    name = sql.Identifier(database)
    everybody = sql.SQL(", ").join(map(sql.Identifier, roles.names))
    makers = sql.SQL(", ").join(map(sql.Identifier, (roles.loader, roles.transformer)))
    return [
        sql.SQL("revoke all on database {} from public").format(name),
        sql.SQL("grant connect on database {} to {}").format(name, everybody),
        sql.SQL("grant create, temporary on database {} to {}").format(name, makers),
    ]


def _of_schemas(roles: Roles, user: str) -> Iterable[sql.Composed]:
    """Owners of schemas, who may look into which, and what holds for relations made later."""
    loader, transformer = sql.Identifier(roles.loader), sql.Identifier(roles.transformer)
    readers = sql.SQL(", ").join(map(sql.Identifier, roles.readers))
    of_marts = sql.SQL(", ").join(map(sql.Identifier, (roles.analyst, roles.district)))
    for schema, owner in roles.owners.items():
        name = sql.Identifier(schema)
        yield sql.SQL("alter schema {} owner to {}").format(name, sql.Identifier(owner))
        yield sql.SQL("revoke all on schema {} from public, {}").format(name, readers)
        yield sql.SQL("revoke all on all functions in schema {} from public, {}").format(name, readers)
        yield sql.SQL("revoke all on all sequences in schema {} from public, {}").format(name, readers)
    yield sql.SQL("revoke create on schema {} from public").format(sql.Identifier("public"))
    yield sql.SQL("grant usage on schema dwh, staging to {}").format(of_marts)
    yield sql.SQL("grant usage on schema reporting to {}").format(readers)
    yield sql.SQL("grant usage on schema raw, ops, access to {}").format(transformer)
    yield sql.SQL("grant execute on all functions in schema ops to {}").format(transformer)
    yield sql.SQL("grant usage on schema access to {}").format(loader)
    yield sql.SQL("grant select on access.role_set to {}, {}").format(loader, transformer)
    yield sql.SQL("grant select, insert, update, delete on access.place to {}").format(transformer)
    yield sql.SQL("grant select on access.my_place to {}").format(sql.Identifier(roles.district))
    for maker in dict.fromkeys([user, roles.loader, roles.transformer]):
        yield from _defaults(roles, maker)


def _defaults(roles: Roles, maker: str) -> Iterable[sql.Composed]:
    """What holds for what a role makes: nobody may call it, and what is landed may be read by who builds."""
    made_by = sql.Identifier(maker)
    yield sql.SQL("alter default privileges for role {} revoke execute on functions from public").format(made_by)
    yield sql.SQL("alter default privileges for role {} in schema raw, ops grant select on tables to {}").format(
        made_by, sql.Identifier(roles.transformer)
    )


def _own_functions(connection: Connection[Any], roles: Roles) -> None:
    """Functions follow their schema, so that whoever is in the owning role may call and replace them."""
    rows = connection.execute(
        """select p.oid::regprocedure::text, n.nspname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
           where n.nspname = any(%s)""",
        (list(SCHEMAS),),
    ).fetchall()
    for signature, schema in rows:
        # The signature comes quoted from PostgreSQL itself.
        owner = sql.Identifier(roles.owners[schema])
        connection.execute(sql.SQL("alter function {} owner to {}").format(sql.SQL(signature), owner))
    there = {
        row[0] for row in connection.execute("select relname from pg_class where relnamespace = to_regnamespace('ops')")
    }
    if "pseudonym_key" in there:
        connection.execute(sql.SQL("grant insert on ops.pseudonym_key to {}").format(sql.Identifier(roles.transformer)))


def _of_login(connection: Connection[Any], roles: Roles, name: str, role: str, is_new: bool) -> list[sql.Composed]:
    login = sql.Identifier(name)
    joined = (roles.loader, roles.transformer) if role == "pipeline" else (f"{roles.prefix}_{role}",)
    held = [] if is_new else _roles_of(connection, roles, name)
    statements = [sql.SQL("create role {} login").format(login)] if is_new else []
    statements += [sql.SQL("revoke {} from {}").format(sql.Identifier(r), login) for r in held if r not in joined]
    statements += [sql.SQL("grant {} to {}").format(sql.Identifier(r), login) for r in joined if r not in held]
    if role in ("loader", "transformer"):
        # What it makes then belongs to the role, not to the login.
        statements.append(sql.SQL("alter role {} set role = {}").format(login, sql.Literal(joined[0])))
    elif _acts_as_role(connection, name):
        statements.append(sql.SQL("alter role {} reset role").format(login))
    if role == "pipeline":
        statements += _defaults(roles, name)
    return statements


def _acts_as_role(connection: Connection[Any], name: str) -> bool:
    """Whether the login's sessions take on a role by themselves."""
    question = """select exists (select from pg_db_role_setting s, unnest(s.setconfig) setting
                  where s.setrole = to_regrole(quote_ident(%s)) and setting like 'role=%%')"""
    return _says_yes(connection, question, name)


def _roles_of(connection: Connection[Any], roles: Roles, name: str) -> list[str]:
    rows = connection.execute(
        """select r.rolname::text from pg_auth_members m join pg_roles r on r.oid = m.roleid
           join pg_roles u on u.oid = m.member where u.rolname = %s and r.rolname = any(%s) order by 1""",
        (name, list(roles.names)),
    ).fetchall()
    return [row[0] for row in rows]


def _is_there(connection: Connection[Any], name: str) -> bool:
    return _says_yes(connection, "select exists (select from pg_roles where rolname = %s)", name)


def _check_role(connection: Connection[Any], roles: Roles, role: str) -> None:
    name = f"{roles.prefix}_{role}"
    if name in roles.names and not _is_there(connection, name):
        raise WarehouseError(f"there is no role {name} here yet: 'hic roles apply' makes it.")


def _check_districts(connection: Connection[Any], role: str, districts: Sequence[str]) -> None:
    if (role == "district") != bool(districts):
        raise WarehouseError("a login of role district needs one district or more, and no other role has any.")
    known = {r[0] for r in connection.execute("select distinct district from access.place where district is not null")}
    if unknown := sorted(set(districts) - known):
        advice = f"known are {', '.join(sorted(known))}" if known else "none is known before the marts are built"
        raise WarehouseError(f"no district {', '.join(unknown)}: {advice}.")


def _as_administrator(connection: Connection[Any], statements: Sequence[sql.Composed], what: str) -> None:
    """Run them, or none of them and say what an administrator would run."""
    try:
        with connection.transaction():
            for statement in statements:
                connection.execute(statement)
    except InsufficientPrivilege:
        raise AdministratorNeeded(what, _script(connection, statements)) from None


def _script(connection: Connection[Any], statements: Sequence[sql.Composed]) -> str:
    return "\n".join(f"{statement.as_string(connection)};" for statement in statements)


def _says_yes(connection: Connection[Any], question: LiteralString, *parameters: Any) -> bool:
    return connection.execute(question, parameters).fetchone() == (True,)


def _user(connection: Connection[Any]) -> str:
    found = connection.execute("select current_user").fetchone()
    assert found is not None  # noqa: S101 - one row always
    return str(found[0])
