"""What a clinical system is to the world: resources whose records are told month by month.

Belongs here: the shape of a told frame, and what is visible of it at a moment. Does not belong here: the records
themselves (a module a system), changes made on purpose (``overlay``).

A told frame has one row a record: business columns of any type (lists and structs too) in neutral form (``pl.Date``,
moments as ms UTC, facilities as positions), ``id`` (text, unique in the resource, in no order of time) and the hidden
columns of ``HIDDEN``. Servers never show a column that begins with ``_``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.hashing import U64
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.packing import I64, uids

NOBODY = np.uint64(0)
WAS = "_was_"
"""Prefix of what a column said before the record was edited."""
HIDDEN = {
    "_happened": pl.Int64,
    "_entered": pl.Int64,
    "_edited": pl.Int64,
    "_removed": pl.Int64,
    "_person": pl.UInt64,
}
"""When it happened (ms UTC; local midnight where only the day is known), was typed in, edited, deleted (NEVER where
not), and the key of the person it is about (NOBODY where it is about nobody)."""
STATE = {
    "_happened": pl.Int64,
    "_created": pl.Int64,
    "_updated": pl.Int64,
    "_deleted": pl.Boolean,
    "_person": pl.UInt64,
}
"""The hidden columns of a frame as it stands at a moment; ``_updated`` is the server's change time (ms UTC)."""


@dataclass(frozen=True)
class Resource:
    """One kind of record. ``tell(story, month)`` gives the records that happened in a calendar month (local), as they
    stand in the end; pure. ``editable`` are columns that people correct. ``ids`` makes ids of the system's form.
    """

    name: str
    tell: Callable[[Story, date], pl.DataFrame]
    editable: tuple[str, ...]
    ids: Callable[[U64], pl.Series] = uids


@dataclass(frozen=True)
class ClinicalSystem:
    """One system; ``since`` is the first of the month from which it has records."""

    name: str
    since: date
    resources: tuple[Resource, ...]

    def resource(self, name: str) -> Resource:
        """A resource by name; KeyError when there is none."""
        return {r.name: r for r in self.resources}[name]


@dataclass(frozen=True)
class Times:
    """The hidden columns of records; see ``lived``."""

    happened: I64
    entered: I64
    edited: I64
    removed: I64
    person: U64

    def columns(self) -> dict[str, pl.Series]:
        """By the names of ``HIDDEN``."""
        values = (self.happened, self.entered, self.edited, self.removed, self.person)
        return {name: pl.Series(value, dtype=kind) for (name, kind), value in zip(HIDDEN.items(), values, strict=True)}


def lived(
    happened: I64,
    hashes: U64,
    person: U64,
    *,
    entered: I64 | None = None,
    edited_share: float = 0.04,
    deleted_share: float = 0.004,
) -> Times:
    """The life of records that happened then: typed in that day or later, some edited, a few deleted.

    ``entered`` (ms) replaces the usual delays, e.g. for a system that is typed into while the patient is there.
    """
    days = (happened + moments.KIGALI_MS) // moments.DAY_MS
    typed = np.maximum(moments.typed_in(days, hashes), happened) if entered is None else entered
    edited = moments.later(typed, hashes, "clinical edit", edited_share, 9.0)
    removed = moments.later(np.where(edited == NEVER, typed, edited), hashes, "clinical delete", deleted_share, 15.0)
    return Times(happened, typed, edited, removed, person)


def with_earlier(frame: pl.DataFrame, column: str, before: pl.Series) -> pl.DataFrame:
    """Remember what a column said before the records were edited; those that nobody edits (NEVER) say it for ever."""
    return frame.with_columns(before.cast(frame.schema[column]).alias(WAS + column))


def corrected(frame: pl.DataFrame, column: str, before: pl.Series) -> pl.DataFrame:
    """The same of a column that is put right when somebody edits a record: of those that nobody edits it always was."""
    never = pl.col("_edited") == int(NEVER)
    before = before.cast(frame.schema[column]).alias(WAS + column)
    return frame.with_columns(before).with_columns(
        pl.when(never).then(column).otherwise(WAS + column).alias(WAS + column)
    )


def standing(told: pl.DataFrame, now: int) -> pl.DataFrame:
    """A told frame as it stands at a moment: business columns and those of ``STATE``; deleted records included."""
    frame = told.filter(pl.col("_entered") <= now)
    known = [pl.when(pl.col(c) <= now).then(c) for c in ("_edited", "_removed")]
    earlier = [
        pl.when(pl.col("_edited") > now).then(c).otherwise(c.removeprefix(WAS)).alias(c.removeprefix(WAS))
        for c in frame.columns
        if c.startswith(WAS)
    ]
    frame = frame.with_columns(
        *earlier,
        _created="_entered",
        _updated=pl.max_horizontal("_entered", *known),
        _deleted=pl.col("_removed") <= now,
    )
    business = [c for c in told.columns if not c.startswith("_")]
    return frame.select(*business, *STATE)


def newest(told: pl.DataFrame) -> int:
    """The last moment (ms) at which a told frame changes; -1 for an empty one."""
    if told.is_empty():
        return -1
    moments_ = [pl.when(pl.col(c) < int(NEVER)).then(c).max() for c in ("_entered", "_edited", "_removed")]
    return int(told.select(pl.max_horizontal(*moments_)).item())
