"""A programme told to a horizon, and what of it is visible at a moment.

Belongs here: the life of records: created, done, corrected, closed, deleted. Does not belong here: what people changed
on purpose (``changes``). Moments are milliseconds UTC; NEVER where nothing of the kind happens.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from hic_assets.sandbox.world.memo import Memo
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec
from hic_assets.sandbox.world.trackers.packing import I32, I64, MISSING, Sheet
from hic_assets.sandbox.world.trackers.people import Persons
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, SCHEMAS, TRACKED_ENTITIES

Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Answers:
    """What many rows answer, in the end; ``before`` is what the rows ``corrected`` said until the moment ``edited``."""

    sheet: Sheet
    corrected: I64
    edited: I64
    before: I32

    def at(self, now: int, rows: I64, unsaid: np.ndarray, field: str) -> pl.Series:  # type: ignore[type-arg]
        """The packed answers of these rows as they stand; nothing yet where ``unsaid``."""
        index = self.sheet.index
        early = self.edited > now
        if early.any():
            index = index.copy()
            index[self.corrected[early]] = self.before[early]
        index = index[rows]
        if unsaid.any():
            index[unsaid] = MISSING
        return Sheet(self.sheet.fields, self.sheet.vocab, index).pack(field)


@dataclass(frozen=True)
class Book:
    """``entities``, ``enrolments`` and ``events``, and what entities and the events of each stage answer.

    Events are stage after stage, in the order of ``told``; ``_at`` is their row there. Other internal columns:
    ``_created``, ``_done``, ``_edited``, ``_ends``, ``_deleted`` (moments), ``_entity`` (row of the tracked entity),
    ``_person`` (key).
    """

    spec: ProgrammeSpec
    entities: pl.DataFrame
    known: Answers
    enrolments: pl.DataFrame
    events: pl.DataFrame
    told: list[Answers]
    persons: Persons

    _views: Memo[Frames] = field(
        default_factory=lambda: Memo(most=100_000, size=lambda frames: frames[EVENTS].height), repr=False, compare=False
    )

    def view(self, now: int, purged: int = 0) -> Frames:
        """The three frames at a moment, by kind, in no order; tombstones up to ``purged`` are gone."""
        return self._views.get((now, purged), lambda: self._view(now, purged))

    def _view(self, now: int, purged: int) -> Frames:
        events = self._events(now, purged)
        enrolments = self._enrolments(now, purged)
        times = ("_entity", "updated_ms", "_alive_updated_ms")
        touched = pl.concat([f.select(times) for f in (events, enrolments)])
        entities = self._entities(now, purged, touched, enrolments)
        frames = {TRACKED_ENTITIES: entities, ENROLLMENTS: enrolments, EVENTS: events}
        return {kind: frames[kind].select(list(SCHEMAS[kind])) for kind in frames}

    def _events(self, now: int, purged: int) -> pl.DataFrame:
        done = pl.col("_done") <= now
        happened = done & ~pl.col("_status").is_in(["SKIPPED", "OVERDUE"])
        completed = done & (pl.col("_status") == "COMPLETED")
        seen = self.events.filter(_seen(now, purged)).with_columns(
            status=pl.when(done).then("_status").otherwise(pl.lit("SCHEDULE")),
            occurred_at=pl.when(happened).then("_occurred"),
            completed_ms=pl.when(completed).then("_done"),
            completed_by=pl.when(completed).then("stored_by"),
            created_ms="_created",
            updated_ms=_latest(now, "_created", "_done", "_edited", "_deleted"),
            _alive_updated_ms=_latest(now, "_created", "_done", "_edited"),
            deleted=pl.col("_deleted") <= now,
        )
        stage, at = seen["_stage"].to_numpy(), seen["_at"].to_numpy()
        unsaid = seen["_done"].to_numpy() > now
        packed = []
        for number, answers in enumerate(self.told):
            mine = stage == number
            packed.append(answers.at(now, at[mine], unsaid[mine], "data_element"))
        return seen.with_columns(pl.concat(packed).alias("data_values"))

    def _enrolments(self, now: int, purged: int) -> pl.DataFrame:
        ended = pl.col("_ends") <= now
        return self.enrolments.filter(_seen(now, purged)).with_columns(
            status=pl.when(ended).then("_end_status").otherwise(pl.lit("ACTIVE")),
            completed_ms=pl.when(ended).then("_ends"),
            created_ms="_created",
            updated_ms=_latest(now, "_created", "_ends", "_deleted"),
            _alive_updated_ms=_latest(now, "_created", "_ends"),
            deleted=pl.col("_deleted") <= now,
        )

    def _entities(self, now: int, purged: int, touched: pl.DataFrame, enrolments: pl.DataFrame) -> pl.DataFrame:
        last = touched.group_by("_entity").agg(
            pl.col("updated_ms").max().alias("_touched"), pl.col("_alive_updated_ms").max().alias("_touched_alive")
        )
        days = enrolments.sort("_seq").group_by("_entity", maintain_order=True).agg(enrolled=pl.col("enrolled_at"))
        frame = self.entities.filter(_seen(now, purged))
        for other in (last, days):
            frame = frame.join(other, on="_entity", how="left", maintain_order="left")
        rows = frame["_entity"].to_numpy()
        return frame.with_columns(
            self.known.at(now, rows, np.zeros(len(rows), dtype=bool), "attribute").alias("attributes"),
            created_ms="_created",
            updated_ms=pl.max_horizontal(_latest(now, "_created", "_edited", "_deleted"), "_touched"),
            _alive_updated_ms=pl.max_horizontal(_latest(now, "_created", "_edited"), "_touched_alive"),
            deleted=pl.col("_deleted") <= now,
            enrolled=pl.col("enrolled").fill_null([]),
        )


def _seen(now: int, purged: int) -> pl.Expr:
    return (pl.col("_created") <= now) & ~(pl.col("_deleted") <= purged)


def _latest(now: int, *moments: str) -> pl.Expr:
    return pl.max_horizontal(pl.when(pl.col(m) <= now).then(m) for m in moments)
