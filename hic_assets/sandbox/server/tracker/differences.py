"""Differences put on ONE family of endpoints, so that somebody who compares the two has something to find.

Most are made in the records a family sees, before conditions and pages: its counts agree with its rows, and no
reader of that family alone can tell. Two are made in the question. Belongs here: which there are, the choice of the
records, and the switches. What is done to a record is in ``changes``.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from hic_assets.sandbox.server.tracker import changes
from hic_assets.sandbox.server.tracker.changes import Meanings, Row, Rows, Setting
from hic_assets.sandbox.server.tracker.question import EVENT_DAY
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, KINDS, TRACKED_ENTITIES

__all__ = ["DIFFERENCES", "Difference", "Differences", "Meanings"]

SIDES = ("legacy", "unified")
_BATCH = 500
_VALUES = (EVENTS, TRACKED_ENTITIES)


@dataclass(frozen=True)
class Spec:
    """One difference. ``kinds``: which it can touch, the first by default. ``rows``: how many of a programme.

    ``change`` None: it is made in the question. ``block``: neighbours by internal id and not scattered records.
    """

    does: str
    kinds: tuple[str, ...]
    change: Callable[[Row, Setting], Rows] | None
    rows: int | None = 3
    tombstones: bool = False
    block: bool = False


DIFFERENCES: dict[str, Spec] = {
    "lost_page": Spec("a page of neighbours is never served", KINDS[::-1], changes.lost, rows=50, block=True),
    "lost_deletion": Spec("tombstones served as alive", KINDS[::-1], changes.lost_deletion, tombstones=True),
    "lost_tombstone": Spec("tombstones not served", KINDS[::-1], changes.lost, tombstones=True),
    "hour_shift": Spec("the day an hour early; option hours", (EVENTS, ENROLLMENTS), changes.hour_shift),
    "rounded_value": Spec("a number rounded", _VALUES, changes.rounded_value),
    "swapped_code": Spec("another code of the option set", _VALUES, changes.swapped_code),
    "duplicated_event": Spec("a record twice in a reply", KINDS[::-1], changes.duplicated),
    "ghost_event": Spec("a copy under a new uid", (EVENTS,), changes.ghost),
    "truncated_list": Spec("lists end at option limit (default: that of the server)", KINDS, None, rows=None),
    "ou_mode_ignored": Spec("only the unit asked for itself, whatever the mode", KINDS, None, rows=None),
    "stale_value": Spec("an old value with its old change time", _VALUES, changes.stale_value),
    "missing_value": Spec("a data element or attribute left out", _VALUES, changes.missing_value),
    "wrong_org_unit": Spec("another organisation unit", KINDS[::-1], changes.wrong_org_unit),
    "truncated_text": Spec("a text cut in half", (TRACKED_ENTITIES, EVENTS), changes.truncated_text),
    "mangled_encoding": Spec("UTF-8 read as Latin-1", (TRACKED_ENTITIES, EVENTS), changes.mangled_encoding),
    "lost_zero": Spec("leading zeros gone", (TRACKED_ENTITIES, EVENTS), changes.lost_zero),
    "swapped_day_month": Spec("day and month of a date swapped", (TRACKED_ENTITIES, EVENTS), changes.swapped_day_month),
    "status_changed": Spec("ACTIVE for COMPLETED, COMPLETED else", (EVENTS, ENROLLMENTS), changes.status_changed),
    "lost_enrollment": Spec("an enrolment not served", (ENROLLMENTS,), changes.lost),
    "cut_time": Spec("completedAt at midnight", (EVENTS, ENROLLMENTS), changes.cut_time),
}


@dataclass
class Difference:
    """One that is on. ``touched``: the uids chosen, by (kind, programme), once somebody asked for it."""

    name: str
    side: str
    program: str | None
    kinds: tuple[str, ...]
    rows: int | None
    seed: int
    start: date | None
    end: date | None
    options: dict[str, Any]
    touched: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    @property
    def spec(self) -> Spec:
        """What it does."""
        return DIFFERENCES[self.name]

    @property
    def uids(self) -> list[str]:
        """Every uid chosen so far."""
        return [uid for chosen in self.touched.values() for uid in chosen]

    def concerns(self, side: str, kind: str, programs: Iterable[str]) -> bool:
        """Whether it touches this."""
        return side == self.side and kind in self.kinds and (self.program is None or self.program in tuple(programs))

    def apply(self, frame: pl.DataFrame, kind: str, program: str, meanings: Meanings) -> pl.DataFrame:
        """The records as this side serves them."""
        change = self.spec.change
        if change is None or frame.is_empty():
            return frame
        setting = Setting(meanings, frame["org_unit"].unique().sort().to_list(), self.options)
        chosen = self.touched.get((kind, program))
        if chosen is None:
            chosen = self.touched[kind, program] = self._choose(frame, kind, change, setting)
        mine = pl.col("uid").is_in(chosen)
        made: list[Row] = []
        for row in frame.filter(mine).to_dicts():
            # the change works in place, and leaves alone what it cannot do any more
            made += [row] if (done := change(row, setting)) is None else done
        return _with(frame.filter(~mine), made)

    def _choose(
        self, frame: pl.DataFrame, kind: str, change: Callable[[Row, Setting], Rows], setting: Setting
    ) -> list[str]:
        alive = pl.col("deleted") if self.spec.tombstones else ~pl.col("deleted")
        candidates = frame.filter(alive, *self._window(kind)).sort("_seq")
        chance = random.Random(f"{self.name}{self.seed}")  # noqa: S311
        numbers = list(range(candidates.height))
        if self.spec.block:
            begin = chance.randrange(max(1, len(numbers) - (self.rows or len(numbers)) + 1))
            numbers = numbers[begin:]
        else:
            chance.shuffle(numbers)
        chosen: list[str] = []
        for begin in range(0, len(numbers), _BATCH):
            for row in candidates[numbers[begin : begin + _BATCH]].to_dicts():
                if self.rows is not None and len(chosen) >= self.rows:
                    return chosen
                own = row["uid"]
                if change(row, setting) is not None:
                    chosen.append(own)
        return chosen

    def _window(self, kind: str) -> list[pl.Expr]:
        """Conditions that a record's day lies in start to end, both included."""
        if kind == TRACKED_ENTITIES:
            days = pl.col("enrolled").list
            tests = [(days.max(), "ge", self.start), (days.min(), "le", self.end)]
        else:
            when = (EVENT_DAY if kind == EVENTS else pl.col("enrolled_at")).cast(pl.Date)
            tests = [(when, "ge", self.start), (when, "le", self.end)]
        return [getattr(when, test)(day) for when, test, day in tests if day is not None]


def _with(frame: pl.DataFrame, rows: list[Row]) -> pl.DataFrame:
    """The frame and these records; a column of days becomes one of times when a record brings a time."""
    schema = dict(frame.schema)
    for column in ("occurred_at", "enrolled_at"):
        if any(isinstance(row.get(column), datetime) for row in rows):
            schema[column] = pl.Datetime("ms")
            frame = frame.with_columns(pl.col(column).cast(pl.Datetime("ms")))
            for row in rows:
                if row[column] is not None and not isinstance(row[column], datetime):
                    row[column] = datetime.combine(row[column], datetime.min.time())
    return pl.concat([frame, pl.DataFrame(rows, schema=schema, orient="row")])


class Differences:
    """The switches of one sandbox; thread-safe."""

    def __init__(self) -> None:
        self._active: list[Difference] = []
        self._lock = threading.Lock()
        self.revision = 0

    def inject(
        self,
        name: str,
        side: str = "unified",
        program: str | None = None,
        *,
        kind: str | None = None,
        rows: int | None = -1,
        seed: int = 1,
        start: date | str | None = None,
        end: date | str | None = None,
        **options: Any,
    ) -> Difference:
        """Switch one on. ``program`` None is every one; ``rows`` of each programme (None: all that can be).

        ``start`` and ``end`` (both included) bound the day of the records chosen. Options are named in DIFFERENCES;
        ``element`` restricts a changed value to one data element or attribute.
        """
        if name not in DIFFERENCES:
            raise ValueError(f"no difference {name!r}; there are {', '.join(DIFFERENCES)}")
        if side not in SIDES:
            raise ValueError(f"no side {side!r}; there are {', '.join(SIDES)}")
        spec = DIFFERENCES[name]
        if kind is not None and kind not in spec.kinds:
            raise ValueError(f"{name} does not touch {kind!r} but {', '.join(spec.kinds)}")
        kinds = (kind,) if kind else spec.kinds if spec.change is None else spec.kinds[:1]
        made = Difference(
            name, side, program, kinds, spec.rows if rows == -1 else rows, seed, _day(start), _day(end), options
        )
        with self._lock:
            self._active.append(made)
            self.revision += 1
        return made

    def clear(self, *names: str) -> None:
        """Switch these off, or all."""
        with self._lock:
            self._active = [d for d in self._active if names and d.name not in names]
            self.revision += 1

    @property
    def active(self) -> list[Difference]:
        """Those that are on (a copy)."""
        with self._lock:
            return list(self._active)

    def on(self, name: str, side: str, kind: str, programs: Iterable[str]) -> Difference | None:
        """A difference made in the question, where it is on."""
        wanted = tuple(programs)
        return next((d for d in self.active if d.name == name and d.concerns(side, kind, wanted)), None)

    def apply(self, frame: pl.DataFrame, side: str, kind: str, program: str, meanings: Meanings) -> pl.DataFrame:
        """The records of a programme as this side serves them."""
        for one in self.active:
            if one.concerns(side, kind, [program]):
                frame = one.apply(frame, kind, program, meanings)
        return frame


def _day(day: date | str | None) -> date | None:
    return date.fromisoformat(day) if isinstance(day, str) else day
