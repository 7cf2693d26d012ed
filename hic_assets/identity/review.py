"""The review of pairs: the queue, the evidence of one, and what somebody decided.

Belongs here: reading and deciding. Does not: how it is shown (``cli``), when pairs come into the queue (``linkage``). Everything
read here names persons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from psycopg import Connection, sql
from psycopg.rows import dict_row

from hic_assets.identity.tables import SIDES
from hic_assets.linkage.schema import COMPARISONS, PAIRS, RECORDS

_QUEUE = """
select p.{pair}, round(p.weight::numeric, 2)::float as weight, p.review_reason as reason,
    concat_ws(' ', l.surname, l.given_name) as names_l, concat_ws(' ', r.surname, r.given_name) as names_r,
    l.birth_date as birth_date_l, r.birth_date as birth_date_r
from identity.pair p
join identity.record l on (l.system, l.record_id) = (p.system_l, p.record_id_l)
join identity.record r on (r.system, r.record_id) = (p.system_r, p.record_id_r)
where p.in_review and not exists (
    select from identity.decision d where ({decided}) = ({sides})
        and d.decided_at > (select max(started_at) from identity.run))
order by p.weight desc, {sides}
limit %s
""".format(
    pair=", p.".join(SIDES), sides=", ".join(f"p.{c}" for c in SIDES), decided=", ".join(f"d.{c}" for c in SIDES)
)


class UnknownRecordError(LookupError):
    """A record that no run has linked."""


@dataclass(frozen=True, order=True)
class Record:
    """What names a record: its source, and the source's own identifier."""

    system: str
    record_id: str

    @classmethod
    def parse(cls, text: str) -> Record:
        """``system:id``; the identifier may hold colons.

        Raises ValueError for anything else.
        """
        system, colon, record_id = text.partition(":")
        if not (system and colon and record_id):
            raise ValueError(f"{text!r} is no record: write system:id, for example tb:AbCdEfGhIjK")
        return cls(system, record_id)

    def __str__(self) -> str:
        return f"{self.system}:{self.record_id}"


def ordered(one: Record, other: Record) -> tuple[Record, Record]:
    """The two as pairs have them, the smaller left.

    Raises ValueError where they are the same.
    """
    if one == other:
        raise ValueError(f"{one} is one record, not a pair")
    left, right = sorted((one, other))
    return left, right


def queue(connection: Connection[Any], limit: int) -> list[dict[str, Any]]:
    """Pairs that wait for somebody, the weightiest first, without those decided since the last run."""
    return connection.cursor(row_factory=dict_row).execute(_QUEUE.encode(), (limit,)).fetchall()


@dataclass(frozen=True)
class Evidence:
    """A pair: both records (by column), their persons, the pair as it was weighed (None: it never was) and the steps of
    its weight, what was decided of it before, and the population that the first step stands for.
    """

    left: dict[str, Any]
    right: dict[str, Any]
    persons: tuple[str | None, str | None]
    pair: dict[str, Any] | None
    steps: list[dict[str, Any]]
    decisions: list[dict[str, Any]]


def evidence(connection: Connection[Any], one: Record, other: Record) -> Evidence:
    """Everything a reviewer may want to know of a pair.

    Raises:
        UnknownRecordError: no run has linked one of the records.
    """
    sides = ordered(one, other)
    left, right = (_record(connection, side) for side in sides)
    names = [value for side in sides for value in (side.system, side.record_id)]
    cursor = connection.cursor(row_factory=dict_row)
    columns = sql.SQL(", ").join(map(sql.Identifier, (*PAIRS, "in_review", "review_reason")))
    pair = cursor.execute(
        sql.SQL("select {} from identity.pair where ({}) = (%s, %s, %s, %s)").format(columns, _sides()), names
    ).fetchone()
    decisions = cursor.execute(
        sql.SQL(
            "select accepted, by_whom, reason, decided_at from identity.decision where ({}) = (%s, %s, %s, %s) order by decision_id"
        ).format(_sides()),
        names,
    ).fetchall()
    persons = tuple(_person(connection, side) for side in sides)
    steps = _steps(connection, pair, (left, right)) if pair else []
    return Evidence(left, right, (persons[0], persons[1]), pair, steps, decisions)


def decide(connection: Connection[Any], one: Record, other: Record, accepted: bool, by: str, reason: str) -> datetime:
    """Keep what somebody decided of a pair; the last decision counts, from the next run on.

    Raises:
        UnknownRecordError: no run has linked one of the records.
        ValueError: nobody is named, no reason is given, or both are one record.
    """
    if not by.strip() or not reason.strip():
        raise ValueError("a decision needs a name and a reason")
    sides = ordered(one, other)
    for side in sides:
        _record(connection, side)
    row = connection.execute(
        """insert into identity.decision (system_l, record_id_l, system_r, record_id_r, accepted, by_whom, reason)
           values (%s, %s, %s, %s, %s, %s, %s) returning decided_at""",
        [*(value for side in sides for value in (side.system, side.record_id)), accepted, by.strip(), reason.strip()],
    ).fetchone()
    assert row is not None  # noqa: S101 - returning
    decided_at: datetime = row[0]
    return decided_at


def _record(connection: Connection[Any], record: Record) -> dict[str, Any]:
    columns = sql.SQL(", ").join(map(sql.Identifier, RECORDS))
    found = (
        connection.cursor(row_factory=dict_row)
        .execute(
            sql.SQL("select {} from identity.record where (system, record_id) = (%s, %s)").format(columns),
            (record.system, record.record_id),
        )
        .fetchone()
    )
    if found is None:
        raise UnknownRecordError(
            f"no run of identity resolution has linked {record}: 'hic link review' lists pairs, 'hic link status' systems"
        )
    return found


def _person(connection: Connection[Any], record: Record) -> str | None:
    row = connection.execute(
        "select person_key from identity.assignment where (system, record_id) = (%s, %s)",
        (record.system, record.record_id),
    ).fetchone()
    return str(row[0]) if row else None


def _steps(
    connection: Connection[Any], pair: dict[str, Any], records: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The waterfall of a pair, with the prior of the run that weighed it."""
    from hic_assets.linkage import load, waterfall

    (population,) = connection.execute("select population from identity.run order by run desc limit 1").fetchone() or (
        2,
    )
    weighed = pl.DataFrame([pair], schema_overrides=PAIRS).select(list(PAIRS))
    compared = pl.DataFrame(records, schema=RECORDS)
    steps = waterfall(weighed, compared, load().of_population(population))
    return steps.filter(pl.col("comparison").is_in(["prior", *COMPARISONS])).drop(*SIDES, "step").to_dicts()


def _sides() -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, SIDES))
