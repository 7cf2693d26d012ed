"""Tables and views of parity in ``ops``: results, samples, the programmes as declared, sign-offs, and what follows.

Belongs here: DDL, all idempotent, and the declarations' way into ``ops.programme``. Does not: comparing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from psycopg import Connection

from hic_assets.landing.ddl import create_once, exists
from hic_assets.parity.cutover import note_dropped_legacy
from hic_assets.parity.differences import COUNTED, Difference
from hic_assets.systems.declare import System

_CLASSES = ",\n    ".join(f"{d} bigint not null default 0" for d in Difference)

TABLES = f"""
create table if not exists ops.programme (
    programme text primary key,
    system text not null,
    uid text not null,
    title text not null,
    cadence text not null,
    tables text not null,
    legacy boolean not null,
    tolerance double precision not null,
    clean_partitions integer not null
);
comment on table ops.programme is
    'The tracker programmes as declared in hic_assets/systems: written from there, edited there.';
comment on column ops.programme.tables is 'Prefix of its raw tables; those of the unified framework have u_ before it.';
comment on column ops.programme.legacy is 'Whether the pipeline on the old endpoints still exists.';

create table if not exists ops.parity (
    parity_id bigint generated always as identity primary key,
    programme text not null,
    kind text not null,
    partition_start date not null,
    legacy_load_id bigint not null,
    unified_load_id bigint not null,
    legacy_rows bigint not null,
    unified_rows bigint not null,
    matched bigint not null,
    {_CLASSES},
    differences bigint not null generated always as ({" + ".join(COUNTED)}) stored,
    by_field jsonb not null default '{{}}',
    rules jsonb not null default '{{}}',
    patterns text,
    is_current boolean not null default true,
    seconds double precision not null,
    compared_at timestamptz not null default clock_timestamp()
);
create unique index if not exists parity_current on ops.parity (programme, kind, partition_start) where is_current;
comment on table ops.parity is
    'Legacy against unified: one row a comparison of one table of a programme in one partition. The newest is current.';
comment on column ops.parity.matched is 'Records equal on both sides.';
comment on column ops.parity.differences is 'Records that differ, the late ones left out.';
comment on column ops.parity.by_field is 'Records of value_differs by field.';
comment on column ops.parity.rules is 'Records that are equal only by a declared rule, by its name.';

create table if not exists ops.parity_difference (
    parity_id bigint not null references ops.parity,
    class text not null,
    place integer not null,
    record text,
    field text,
    legacy_value text,
    unified_value text,
    legacy_updated_at timestamptz,
    unified_updated_at timestamptz,
    other_partition date
);
create index if not exists parity_difference_parity on ops.parity_difference (parity_id);
comment on table ops.parity_difference is
    'The first differences of each class of a current comparison. What may identify a person is masked.';

create table if not exists ops.cutover (
    cutover_id bigint generated always as identity primary key,
    programme text not null,
    at timestamptz not null default clock_timestamp(),
    by_whom text not null,
    action text not null check (action in ('unified', 'legacy')),
    forced boolean not null default false,
    reason text,
    evidence jsonb not null default '{{}}'
);
create index if not exists cutover_programme on ops.cutover (programme, cutover_id);
comment on table ops.cutover is
    'Sign-offs: from then on the staging models read the tables of this pipeline. The newest row of a programme holds.';
"""

VIEWS = ("programme_source", "parity_state", "cutover_readiness")
# The newest of the views' columns: a warehouse without it was made by older views.
_NEWEST = ("ops.parity_state", "outdated")
_TABLES = [name.removeprefix("ops.") for name in re.findall(r"if not exists (\S+)", TABLES)]


def create_parity(connection: Connection[Any], systems: Iterable[System]) -> None:
    """Create what is missing, and write the programmes as they are declared; no lock is taken where nothing changes.

    ``systems``: all that are declared. A programme that none of them has is forgotten, its results and sign-offs stay.
    """
    if not all(exists(connection, "ops", name) for name in (*_TABLES, *VIEWS)) or not _has_newest(connection):
        views = [files(__package__).joinpath(f"{name}.sql").read_text() for name in VIEWS]
        create_once(connection, "\n".join([TABLES, *views]))
    register(connection, systems)


def _has_newest(connection: Connection[Any]) -> bool:
    found = connection.execute("select from pg_attribute where attrelid = to_regclass(%s) and attname = %s", _NEWEST)
    return found.fetchone() is not None


def register(connection: Connection[Any], systems: Iterable[System]) -> None:
    """Make ``ops.programme`` say what is declared, and note which programmes that switches to the unified tables."""
    declared = [
        (
            p.name,
            s.name,
            p.uid,
            p.title,
            p.cadence.value,
            p.tables,
            p.legacy,
            p.trust.tolerance,
            p.trust.clean_partitions,
        )
        for s in systems
        for p in s.programmes
    ]
    with connection.transaction(), connection.cursor() as cursor:
        held = set(cursor.execute("select * from ops.programme").fetchall())
        if held == set(declared):
            return
        cursor.execute("lock table ops.programme in share row exclusive mode")
        note_dropped_legacy(connection, [name for name, *_, legacy, _, _ in declared if not legacy])
        cursor.execute("delete from ops.programme")
        cursor.executemany("insert into ops.programme values (%s, %s, %s, %s, %s, %s, %s, %s, %s)", declared)
