"""Decoded records as frames: whole ones as their table's columns, or only keys with their days. Pure, column-wise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from operator import attrgetter
from typing import Any

import msgspec
import polars as pl

from hic_assets.extract.dhis2.timestamps import utc_series
from hic_assets.extract.dhis2.tracker.decoding import Record, Reject
from hic_assets.extract.dhis2.tracker.fields import Form, Kind, Member
from hic_assets.extract.dhis2.tracker.json_values import (
    ABSENT,
    VALUE_KEYS,
    NoValues,
    canonical_json,
    canonical_values,
)

KEY_SCHEMA: dict[str, Any] = {
    "key": pl.String,
    "day": pl.Date,
    "updated_at": pl.Datetime("us", "UTC"),
    "deleted": pl.Boolean,
}


def record_frame(records: Sequence[Record], members: Sequence[Member], zone: str) -> tuple[pl.DataFrame, list[Reject]]:
    """One row a record, every column String, in the members' order; and the records whose values are no values.

    `zone`: of timestamps without offset. Raises msgspec.DecodeError or UnicodeDecodeError for values that are no JSON.
    """
    try:
        return _frame(records, members, zone), []
    except NoValues:
        good, rejects = _readable(records, members)
        return _frame(good, members, zone), rejects


def _frame(records: Sequence[Record], members: Sequence[Member], zone: str) -> pl.DataFrame:
    return pl.DataFrame([_column(records, member, zone) for member in members])


def _readable(records: Sequence[Record], members: Sequence[Member]) -> tuple[list[Record], list[Reject]]:
    """The records whose values can be read, and the others as rejects."""
    good: list[Record] = []
    rejects: list[Reject] = []
    for record in records:
        try:
            for member in members:
                if member.form is Form.VALUES:
                    canonical_values(VALUE_KEYS[member.name])(getattr(record, member.column))
        except NoValues as exc:
            rejects.append((msgspec.json.encode(record).decode(), "shape", f"a list of values: {exc}"))
        else:
            good.append(record)
    return good, rejects


def key_frame(
    records: Sequence[Record], kind: Kind, program: str, key: str, zone: str
) -> tuple[pl.DataFrame, list[Reject]]:
    """KEY_SCHEMA: one row a record; of tracked entities one a day of enrolment in the programme, `day` NULL for none.

    `key`: the column that identifies the record. Deletion that is not said is none.
    """
    updated = pl.Series([record.updated_at for record in records], dtype=pl.String)
    frame = pl.DataFrame(
        {
            "key": pl.Series([getattr(record, key) for record in records], dtype=pl.String),
            "day": _days(records, kind, program),
            "updated_at": utc_series(updated, zone),
            "deleted": pl.Series([record.deleted for record in records], dtype=pl.Boolean).fill_null(False),
        }
    )
    return frame.explode("day", empty_as_null=True) if kind is Kind.TRACKED_ENTITIES else frame, []


def days_of(records: Sequence[Record], kind: Kind) -> pl.Series:
    """The day of each enrolment or event: the date part of when it was or, while it has not been, was due."""
    texts = pl.Series("day", day_texts(records, kind), dtype=pl.String)
    return texts.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


def day_texts(records: Sequence[Record], kind: Kind) -> list[str | None]:
    """The times that the days are part of, as they came."""
    if kind is Kind.EVENTS:
        return [record.occurred_at or record.scheduled_at for record in records]
    return [record.enrolled_at for record in records]


def enrolment_days(record: Record, program: str) -> list[date]:
    """Days on which a tracked entity was enrolled in the programme, each once.

    Enrolments deleted since count too: the server finds it by them, and where it is held must not hang on which
    versions tell of a deletion in a nested list.
    """
    found = (_date(one.day) for one in record.enrollments or () if one.program in (program, None))
    return sorted({day for day in found if day is not None})


def _days(records: Sequence[Record], kind: Kind, program: str) -> pl.Series:
    if kind is not Kind.TRACKED_ENTITIES:
        return days_of(records, kind)
    lists = [enrolment_days(record, program) for record in records]
    return pl.Series("day", lists, dtype=pl.List(pl.Date))


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None


def _column(records: Sequence[Record], member: Member, zone: str) -> pl.Series:
    cells = list(map(attrgetter(member.column), records))
    return _series(cells, member, zone).alias(member.column)


def _series(cells: list[Any], member: Member, zone: str) -> pl.Series:
    if member.form is Form.FLAG:
        return pl.Series(cells, dtype=pl.Boolean).cast(pl.String)
    if member.form is Form.INSTANT:
        return _instants(_texts(cells), zone)
    if member.form is Form.TEXT:
        return _texts(cells)
    if cells.count(ABSENT) == len(cells):
        return pl.Series([None] * len(cells), dtype=pl.String)
    canonical = canonical_json if member.form is Form.JSON else canonical_values(VALUE_KEYS[member.name])
    return pl.Series([canonical(cell) for cell in cells], dtype=pl.Binary).cast(pl.String)


def _texts(cells: list[Any]) -> pl.Series:
    """As it came; empty text is NULL, as in every other table."""
    texts = pl.Series(cells, dtype=pl.String)
    return texts.set(texts == "", None) if (texts == "").any() else texts


def _instants(texts: pl.Series, zone: str) -> pl.Series:
    """In UTC with its offset; text that cannot be read stays as it came, for the contract to judge."""
    written = utc_series(texts, zone).dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+0000")
    return written if written.null_count() == texts.null_count() else written.fill_null(texts)
