"""Tables that landing owns: the ledger, the quarantine, and the raw tables made from their declarations.

Belongs here: DDL of ``ops`` and ``raw``, all idempotent. Does not: schemas and roles (``warehouse``), dbt's relations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from psycopg import Connection, Cursor, sql

from hic_assets.landing.table import Layout, Table

OPS = r"""
create table if not exists ops.load (
    load_id bigint generated always as identity primary key,
    system text not null,
    table_name text not null,
    partition_key text,
    window_start date,
    window_end date,
    source text,
    status text not null check (status in ('running', 'committed', 'failed', 'abandoned')),
    rows_read bigint not null default 0,
    landed bigint not null default 0,
    quarantined bigint not null default 0,
    duplicates bigint not null default 0,
    deleted bigint not null default 0,
    bytes bigint not null default 0,
    content_hash text,
    source_watermark timestamptz,
    unknown_columns text[],
    is_current boolean not null default false,
    run_id text,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    error text,
    constraint every_row_accounted_for
        check (status <> 'committed' or rows_read = landed + quarantined + duplicates)
);
-- What the ledger has gained since the first warehouses were made.
alter table ops.load
    add column if not exists source_read_at timestamptz,
    -- A unified tracker table's name begins with u_, before the system's.
    add column if not exists relation text not null generated always as (
        case when table_name like 'u\_%' then 'u_' || system || '_' || substr(table_name, 3)
             else system || '_' || table_name end) stored;
create unique index if not exists load_current
    on ops.load (system, table_name, coalesce(partition_key, '')) where is_current;
create index if not exists load_by_table on ops.load (system, table_name, partition_key, load_id);
comment on table ops.load is
    'Ledger: one row a table, partition and load. The truth about what is loaded (is_current).';
comment on column ops.load.relation is 'Name of the table in schema raw.';
comment on column ops.load.source_watermark is 'Newest change time among the rows read, by the source''s clock.';
comment on column ops.load.source_read_at is 'What the source''s clock said when reading began, where it tells.';

create table if not exists ops.load_slice (
    load_id bigint not null references ops.load,
    slice text not null,
    url text not null,
    rows bigint not null,
    bytes bigint not null,
    seconds double precision not null,
    attempts integer not null
);
create index if not exists load_slice_load on ops.load_slice (load_id);
comment on table ops.load_slice is 'One row a source request of a load: what was asked, how much came, how long it took.';

create table if not exists ops.quarantine (
    load_id bigint not null references ops.load,
    rule text not null,
    reason text not null,
    row_text text not null,
    slice text,
    quarantined_at timestamptz not null default clock_timestamp()
);
alter table ops.quarantine add column if not exists row_key text;
create index if not exists quarantine_load on ops.quarantine (load_id, rule);
comment on table ops.quarantine is
    'Rows that broke their table''s contract, as they came, with the rule. Kept for a partition''s current load.';

comment on column ops.quarantine.row_key is
    'Key of the row, of tables whose key is one column: the text may be cut, or no JSON. NULL where it has none.';

create table if not exists ops.stale_partition (
    system text not null,
    table_name text not null,
    window_start date not null,
    why jsonb not null,
    found_at timestamptz not null default clock_timestamp(),
    primary key (system, table_name, window_start)
);
comment on table ops.stale_partition is
    'Partitions in which the reconciliation of keys last found other records than the source has, and why. A later load of one settles it.';

create table if not exists ops.source_system (
    system text primary key,
    system_id text not null,
    url text not null,
    version text not null,
    seen_at timestamptz not null default now()
);
comment on table ops.source_system is
    'Which server each system was landed from; another system id at the same address stops every load.';

create or replace function ops.json_member(document text, path text[]) returns text language plpgsql immutable as $$
begin
    return document::json #>> path;
exception when others then
    return null;
end $$;
comment on function ops.json_member is
    'A member of a JSON text; NULL where it has none, or is no JSON, as rows in quarantine may be.';
"""

_OPS_RELATIONS = [name.removeprefix("ops.") for name in re.findall(r"(?:table|index) if not exists (\S+)", OPS)]


def create_ops(connection: Connection[Any]) -> None:
    """Create the ledger and the quarantine where something of them is missing.

    Only then: "create index if not exists" locks its table before it looks, and a load that has written its refused
    rows and goes on to its ledger row would end in a deadlock with whoever opens the warehouse.
    """
    if not all(exists(connection, "ops", name) for name in _OPS_RELATIONS) or not _is_newest(connection):
        create_once(connection, OPS)


def _is_newest(connection: Connection[Any]) -> bool:
    """Whether the ledger and the quarantine have the newest of their columns, and the newest of its functions is there."""
    found = connection.execute(
        """select 1 from pg_attribute where attrelid = to_regclass('ops.load') and attname = 'relation'
           and exists (select from pg_attribute where attrelid = to_regclass('ops.quarantine') and attname = 'row_key')
           and to_regprocedure('ops.json_member(text, text[])') is not null"""
    )
    return found.fetchone() is not None


def create_once(connection: Connection[Any], ddl: str) -> None:
    """Run DDL that creates what is missing, one session at a time: two at once collide despite "if not exists"."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('hic ddl'))")
        connection.execute(ddl.encode())


def create_raw_tables(connection: Connection[Any], tables: Iterable[Table]) -> None:
    """Create those of the declared tables that are missing, empty: what is built on them need not wait for a load."""
    held = {
        name
        for (name,) in connection.execute("select relname from pg_class where relnamespace = to_regnamespace('raw')")
    }
    for table in tables:
        if table.relation not in held:
            create_raw_table(connection, table)


def create_raw_table(connection: Connection[Any], table: Table) -> None:
    """Create a raw table from its declaration, or add the columns that the declaration has gained."""
    target = sql.Identifier("raw", table.relation)
    columns: list[sql.Composable] = [sql.SQL("{} text").format(sql.Identifier(c)) for c in table.stored_names]
    columns += [
        sql.SQL("_partition date {}").format(sql.SQL("" if table.layout is Layout.SNAPSHOT else "not null")),
        sql.SQL("_load_id bigint not null"),
        sql.SQL("_source_updated_at timestamptz"),
    ]
    partitioned = sql.SQL(" partition by list (_partition)" if table.layout is Layout.NATIVE else "")
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('hic ddl'))")
        connection.execute(
            sql.SQL("create table if not exists {} ({}){}").format(target, sql.SQL(", ").join(columns), partitioned)
        )
        for name in _missing_columns(connection, table):
            connection.execute(sql.SQL("alter table {} add column {} text").format(target, sql.Identifier(name)))
        if table.layout is Layout.INDEXED:
            _create_index(connection, target, f"{table.relation}_partition", sql.SQL("(_partition)"))
        if table.sought_by_key:
            # By hash: half the size of a tree of random keys, and quicker to look in; nobody asks for keys in order.
            (key,) = table.keys
            _create_index(
                connection, target, f"{table.relation}_key", sql.SQL("using hash ({})").format(sql.Identifier(key))
            )
        _describe(connection, table, target)


def _create_index(connection: Connection[Any], target: sql.Identifier, name: str, on: sql.Composable) -> None:
    # "if not exists" would wait for every load of the table that is under way before it looks.
    if not exists(connection, "raw", name):
        connection.execute(sql.SQL("create index {} on {} {}").format(sql.Identifier(name), target, on))


def columns_of(cursor: Cursor[Any], table: Table) -> sql.Composable:
    """The columns of a raw table as it stands, to make a table that can become its partition.

    ``like`` would say the same, but lock the table until the end of the transaction: two loads of two partitions
    would then each keep the other from its swap.
    """
    found = cursor.execute(
        """select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute
           where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum""",
        (f"raw.{table.relation}",),
    ).fetchall()
    return sql.SQL(", ").join(
        sql.SQL("{} {} {}").format(sql.Identifier(name), sql.SQL(kind), sql.SQL("not null" if required else ""))
        for name, kind, required in found
    )


def _missing_columns(connection: Connection[Any], table: Table) -> list[str]:
    found = connection.execute(
        "select column_name from information_schema.columns where table_schema = 'raw' and table_name = %s",
        (table.relation,),
    ).fetchall()
    present = {row[0] for row in found}
    return [c for c in table.stored_names if c not in present]


def exists(connection: Connection[Any], schema: str, relation: str) -> bool:
    """Whether a table or index of that name is there; takes no lock, and needs no right on the schema."""
    found = connection.execute(
        "select from pg_class where relname = %s and relnamespace = to_regnamespace(quote_ident(%s))",
        (relation, schema),
    )
    return found.fetchone() is not None


def _describe(connection: Connection[Any], table: Table, target: sql.Identifier) -> None:
    """Put the declaration's words where psql and every SQL tool shows them; only new ones, since each takes a lock."""
    found = connection.execute(
        """select a.attname, d.description from pg_description d
           left join pg_attribute a on a.attrelid = d.objoid and a.attnum = d.objsubid and d.objsubid > 0
           where d.classoid = 'pg_class'::regclass and d.objoid = to_regclass(%s)""",
        (f"raw.{table.relation}",),
    ).fetchall()
    known: dict[str | None, str] = dict(found)
    if known.get(None) != table.description:
        connection.execute(sql.SQL("comment on table {} is {}").format(target, sql.Literal(table.description)))
    for column in table.columns:
        words = column.description + (f" Sensitive: {column.sensitive}." if column.sensitive else "")
        if column.name != table.updated_column and known.get(column.name) != words:
            name = sql.Identifier("raw", table.relation, column.name)
            connection.execute(sql.SQL("comment on column {} is {}").format(name, sql.Literal(words)))
