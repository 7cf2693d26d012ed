"""The way of persons between PostgreSQL and frames: what changed since the last run, what is known, what a run found.

Belongs here: all SQL of a run. Does not: who is whom (``linkage``), the review (``review``), dbt's models.
Only what changed travels to the server; everything known travels from it, since a record may be compared with any.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from psycopg import Connection, sql
from psycopg.errors import UndefinedTable

from hic_assets.identity.tables import SIDES
from hic_assets.landing.copy import copy_into
from hic_assets.linkage import Linked, Model, Thresholds
from hic_assets.linkage.schema import ASSIGNMENTS, DECISIONS, EVENTS, IDENTITY, PAIRS, RECORDS, Schema, empty

# One run at a time changes who is whom. Of the session, since a run holds no transaction while it links.
_LOCK, _UNLOCK = (
    f"select {name}(hashtext('hic identity resolution'))" for name in ("pg_advisory_lock", "pg_advisory_unlock")
)
# A day's difference in when a record was written is no change of the person.
_HASHED = sql.SQL(", ").join(sql.Identifier(name) for name in RECORDS if name != "recorded_on")
_NAMES = sql.SQL(", ").join(map(sql.Identifier, RECORDS))
_SEPARATOR = "\x1f"


class NotBuiltError(RuntimeError):
    """The records of persons are not there yet."""


@dataclass(frozen=True)
class Changes:
    """Records (``RECORDS``, with ``content``) that are new or other than they were, or all; and how many are new, other, gone."""

    records: pl.DataFrame
    added: int
    changed: int
    removed: pl.DataFrame


@dataclass(frozen=True)
class Noted:
    """What is written of a run beside what it found: ``model`` is the ``fingerprint`` of what pairs were weighed with."""

    run: int
    started: datetime
    model: str
    population: int


@contextmanager
def alone(connection: Connection[Any]) -> Iterator[None]:
    """Wait until no other run is under way; let go at the end, however it ends."""
    connection.execute(_LOCK.encode())
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(_UNLOCK.encode())


def fingerprint(model: Model, thresholds: Thresholds) -> str:
    """What is the same for pairs that were weighed and judged alike."""
    held = [model.splink(), model.frequencies.as_dict() if model.frequencies else None, repr(thresholds)]
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()[:16]


def last_run(connection: Connection[Any]) -> tuple[int, str | None]:
    """Number and model of the run before; 0 and None where there was none."""
    row = connection.execute("select run, model from identity.run order by run desc limit 1").fetchone()
    return (int(row[0]), str(row[1])) if row else (0, None)


def find_changes(connection: Connection[Any], everything: bool = False) -> Changes:
    """Hold the sources against what is known. ``everything``: also the records that did not change."""
    try:
        connection.execute(
            sql.SQL(
                """create temporary table told on commit drop as
                   select {names}, md5(row({hashed})::text) as content from identity.person_record"""
            ).format(names=_NAMES, hashed=_HASHED)
        )
    except UndefinedTable as error:
        raise NotBuiltError(
            "identity.person_record is not there: run a job of registries (all_reference) first."
        ) from error
    # Unique: a record that is there twice ends the run here.
    connection.execute("create unique index on told (system, record_id)")
    connection.execute("analyze told")
    other = """from told left join identity.record as r using (system, record_id)
               where r.content is distinct from told.content"""
    (added, changed) = connection.execute(
        f"select count(*) filter (where r.content is null), count(*) filter (where r.content is not null) {other}".encode()
    ).fetchone() or (0, 0)
    names = sql.SQL(", ").join(sql.Identifier("told", name) for name in (*RECORDS, "content"))
    rows = sql.SQL("from told") if everything else sql.SQL(other)  # type: ignore[arg-type]
    found = _read(connection, sql.SQL("select {} ").format(names) + rows, {**RECORDS, "content": pl.String})
    gone = sql.SQL("select system, record_id from identity.record except select system, record_id from told")
    return Changes(found, added, changed, _read(connection, gone, {name: RECORDS[name] for name in IDENTITY}))


def read_known(connection: Connection[Any]) -> Linked:
    """What the last run left: records, their persons, and the pairs among them."""
    return Linked(
        records=_table(connection, "record", RECORDS),
        assignments=_table(connection, "assignment", ASSIGNMENTS),
        pairs=_table(connection, "pair", PAIRS),
    )


def read_decisions(connection: Connection[Any]) -> pl.DataFrame:
    """All that was ever decided, in the order of time (``DECISIONS``)."""
    rows = connection.execute(
        "select system_l, record_id_l, system_r, record_id_r, accepted from identity.decision order by decision_id"
    ).fetchall()
    return pl.DataFrame(rows, schema=DECISIONS, orient="row") if rows else empty(DECISIONS)


def write(connection: Connection[Any], noted: Noted, changes: Changes, known: Linked, found: Linked) -> None:
    """Put a run's outcome in place: of every table what is other than it was."""
    fresh = changes.records.select(IDENTITY)
    _delete(connection, "record", changes.removed, IDENTITY)
    _replace(connection, "record", changes.records, IDENTITY)
    gone = known.assignments.join(found.assignments, on=IDENTITY, how="anti").select(IDENTITY)
    other = found.assignments.join(known.assignments, on=found.assignments.columns, how="anti")
    _delete(connection, "assignment", gone, IDENTITY)
    _replace(connection, "assignment", other, IDENTITY)
    _write_pairs(connection, fresh, found)
    events = found.events.select(pl.lit(noted.run, dtype=pl.Int64).alias("run"), *map(pl.col, EVENTS))
    _insert(connection, "person_event", events)
    counted = {
        "run": noted.run, "started_at": noted.started, "model": noted.model, "population": noted.population,
        "records": found.records.height, "persons": found.assignments["person_key"].n_unique(),
        "added": changes.added, "changed": changes.changed, "removed": changes.removed.height,
        "compared": found.compared, "in_review": found.review.height, **found.event_counts(),
        "left_out": json.dumps(found.left_out.to_dicts(), default=str),
    }  # fmt: skip
    names = sql.SQL(", ").join(map(sql.Identifier, counted))
    values = sql.SQL(", ").join(map(sql.Placeholder, counted))
    connection.execute(sql.SQL("insert into identity.run ({}) values ({})").format(names, values), counted)


def _write_pairs(connection: Connection[Any], fresh: pl.DataFrame, found: Linked) -> None:
    """Pairs of what is new; and of all, whether they are for people to look at."""
    _stage(connection, "fresh_records", fresh)
    connection.execute(
        """delete from identity.pair p
           where not exists (select from identity.record r where (r.system, r.record_id) = (p.system_l, p.record_id_l))
              or not exists (select from identity.record r where (r.system, r.record_id) = (p.system_r, p.record_id_r))
              or exists (select from fresh_records f where (f.system, f.record_id) = (p.system_l, p.record_id_l))
              or exists (select from fresh_records f where (f.system, f.record_id) = (p.system_r, p.record_id_r))"""
    )
    left = fresh.rename({"system": "system_l", "record_id": "record_id_l"}).with_columns(_new=True)
    right = fresh.rename({"system": "system_r", "record_id": "record_id_r"}).with_columns(_new_r=True)
    of_fresh = found.pairs.join(left, on=left.columns[:2], how="left").join(right, on=right.columns[:2], how="left")
    _insert(connection, "pair", of_fresh.filter(pl.col("_new") | pl.col("_new_r")).select(list(PAIRS)))
    _stage(connection, "to_review", found.review.select(*SIDES, "reason"))
    connection.execute(
        """update identity.pair p set in_review = (t.reason is not null), review_reason = t.reason
           from identity.pair q left join to_review t using (system_l, record_id_l, system_r, record_id_r)
           where (p.system_l, p.record_id_l, p.system_r, p.record_id_r)
               = (q.system_l, q.record_id_l, q.system_r, q.record_id_r)
             and p.review_reason is distinct from t.reason"""
    )


def _table(connection: Connection[Any], name: str, schema: Schema) -> pl.DataFrame:
    columns = sql.SQL(", ").join(map(sql.Identifier, schema))
    return _read(connection, sql.SQL("select {} from {}").format(columns, sql.Identifier("identity", name)), schema)


def _read(connection: Connection[Any], query: sql.Composable, schema: Schema) -> pl.DataFrame:
    """Rows of a query by COPY; lists travel as text, since CSV has none."""
    lists = [name for name, kind in schema.items() if isinstance(kind, pl.List)]
    columns = sql.SQL(", ").join(
        sql.SQL("nullif(array_to_string({0}, {1}), '') as {0}").format(sql.Identifier(n), sql.Literal(_SEPARATOR))
        if n in lists
        else sql.Identifier(n)
        for n in schema
    )
    statement = sql.SQL("copy (select {} from ({}) as q) to stdout (format csv, header, null '\\N')").format(
        columns, query
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        body = b"".join(bytes(piece) for piece in copy)
    types: dict[str, Any] = {n: pl.String if n in lists or k == pl.Boolean else k for n, k in schema.items()}
    frame = pl.read_csv(io.BytesIO(body), schema=types, null_values="\\N")
    booleans = [n for n, k in schema.items() if k == pl.Boolean]
    return frame.with_columns(
        *(pl.col(n).str.split(_SEPARATOR) for n in lists), *((pl.col(n) == "t").alias(n) for n in booleans)
    )


def _stage(connection: Connection[Any], name: str, frame: pl.DataFrame) -> None:
    """A frame of texts as a temporary table."""
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(c)) for c in frame.columns)
    connection.execute(sql.SQL("create temporary table {} ({}) on commit drop").format(sql.Identifier(name), columns))
    with copy_into(connection, sql.Identifier(name), tuple(frame.columns)) as copy:
        copy.write(frame)
    connection.execute(sql.SQL("analyze {}").format(sql.Identifier(name)))


def _delete(
    connection: Connection[Any], table: str, keys: pl.DataFrame, names: tuple[str, ...], staged: str = "gone"
) -> None:
    staged = f"{staged}_{table}"
    _stage(connection, staged, keys.select(names))
    same = sql.SQL(" and ").join(sql.SQL("t.{0} = s.{0}").format(sql.Identifier(n)) for n in names)
    connection.execute(
        sql.SQL("delete from {} t using {} s where {}").format(
            sql.Identifier("identity", table), sql.Identifier(staged), same
        )
    )


def _replace(connection: Connection[Any], table: str, rows: pl.DataFrame, names: tuple[str, ...]) -> None:
    """The rows in place of those with their keys."""
    _delete(connection, table, rows, names, "other")
    _insert(connection, table, rows)


def _insert(connection: Connection[Any], table: str, rows: pl.DataFrame) -> None:
    if rows.height:
        with copy_into(connection, sql.Identifier("identity", table), tuple(rows.columns)) as copy:
            copy.write(rows)
