"""Tables of the schema ``identity``: records as they were linked, whom they are about, and what people decided.

Belongs here: DDL, idempotent, from the frames' own declarations (``linkage.schema``). Does not: reading and writing (``store``).
Everything here may name a person. Nobody is granted anything: the transformer reads, analysts never do.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from psycopg import Connection

from hic_assets.landing.ddl import create_once, exists
from hic_assets.linkage.schema import ASSIGNMENTS, EVENTS, PAIRS, RECORDS, Schema

_TYPES: dict[Any, str] = {
    pl.String: "text",
    pl.Int32: "integer",
    pl.Int64: "bigint",
    pl.Float64: "double precision",
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.List(pl.String): "text[]",
}
SIDES = ("system_l", "record_id_l", "system_r", "record_id_r")
"""What names a pair."""


def _columns(schema: Schema) -> str:
    return ",\n    ".join(f"{name} {_TYPES[kind]}" for name, kind in schema.items())


RECORD_COLUMNS = _columns(RECORDS)
DDL = f"""
create table if not exists identity.record (
    {RECORD_COLUMNS},
    content text not null,
    primary key (system, record_id)
);
comment on table identity.record is
    'Records of persons as they were linked last, one row a record of a source; content is the hash of its columns.';

create table if not exists identity.assignment (
    {_columns(ASSIGNMENTS)},
    primary key (system, record_id)
);
create index if not exists assignment_person on identity.assignment (person_key);
comment on table identity.assignment is
    'Whom each record is about, one row a record. since: the run in which the person''s key was made.';

create table if not exists identity.pair (
    {_columns(PAIRS)},
    in_review boolean not null default false,
    review_reason text,
    primary key ({", ".join(SIDES)})
);
create index if not exists pair_right on identity.pair (system_r, record_id_r);
create index if not exists pair_in_review on identity.pair (weight desc) where in_review;
comment on table identity.pair is
    'Pairs of records that were weighed and are worth keeping; in_review: somebody should say whether they are one person, and
review_reason why.';

create table if not exists identity.decision (
    decision_id bigint generated always as identity primary key,
    system_l text not null,
    record_id_l text not null,
    system_r text not null,
    record_id_r text not null,
    accepted boolean not null,
    by_whom text not null check (btrim(by_whom) <> ''),
    reason text,
    decided_at timestamptz not null default clock_timestamp(),
    check ((system_l, record_id_l) < (system_r, record_id_r))
);
comment on table identity.decision is
    'What reviewers said of pairs; the last row of a pair counts. Kept for ever, also of records that are no more.';

create table if not exists identity.person_event (
    run bigint not null,
    {_columns(EVENTS)}
);
comment on table identity.person_event is
    'Persons that became one (merged), several (split), or gave records to one another (moved), by run.';

create table if not exists identity.run (
    run bigint primary key,
    started_at timestamptz not null,
    finished_at timestamptz not null default clock_timestamp(),
    records bigint not null,
    added bigint not null,
    changed bigint not null,
    removed bigint not null,
    compared bigint not null,
    persons bigint not null,
    in_review bigint not null,
    merged bigint not null,
    split bigint not null,
    moved bigint not null,
    population bigint not null,
    model text not null,
    left_out jsonb not null default '[]'
);
comment on table identity.run is
    'Runs of identity resolution that were committed. left_out: keys that too many records share, and that were not compared by.
model: fingerprint of the model and the population that pairs were weighed with; another one weighs all anew.';
"""


def create_identity_tables(connection: Connection[Any]) -> None:
    """Create what is missing."""
    if not exists(connection, "identity", "run"):
        create_once(connection, DDL)
