"""Whether what came is what was asked for: programme and days. Pure.

A server ignores parameters it does not know and answers another question with 200 (contract 1.7); that must be an
error and not data. One day's difference is let pass: it is what a shifted clock makes of a date, and to be compared,
not to be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

import polars as pl

from hic_assets.extract.dhis2.tracker.decoding import Record
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.dhis2.tracker.frames import day_texts, days_of, enrolment_days
from hic_assets.extract.dhis2.tracker.slices import Window

ONE_DAY = timedelta(days=1)
FEW = 3
"""Tracked entities that explain themselves badly before the server is to blame."""
_IGNORED = "the server ignores the programme or the days that were asked for"
NO_ENROLMENT = "no_enrollment_in_window"
UNPLACED = "no enrolment in the programme and days it was asked for"
"""Rule and reason for a tracked entity that nothing explains."""


class NotAsked(ValueError):
    """Records of another programme or of other days. The text says which days, and nothing of a person."""


@dataclass(frozen=True)
class Belonging:
    """Indices of the records that belong, and of tracked entities that say of no enrolment why they came."""

    rows: Sequence[int]
    unplaced: Sequence[int] = ()


def belonging(
    records: Sequence[Record], kind: Kind, program: str, window: Window | None, *, day_more: bool
) -> Belonging:
    """Which records answer the question. `day_more`: the day after the window was asked for too and is left out.

    Raises NotAsked.
    """
    if kind is Kind.TRACKED_ENTITIES:
        return _entities(records, program, window, day_more)
    others = {record.program for record in records} - {program, None}
    if others:
        raise NotAsked(f"records of {len(others)} other programmes came: {_IGNORED}")
    if window is None or not records:
        return Belonging(range(len(records)))
    everything = Belonging(range(len(records)))
    if not day_more and _surely_inside(day_texts(records, kind), window):
        return everything
    days = days_of(records, kind)
    _refuse_far(days, window, day_more)
    return Belonging((days != window[1]).fill_null(True).arg_true().to_list()) if day_more else everything


def _surely_inside(texts: Sequence[str | None], window: Window) -> bool:
    """By the order of texts, which is that of ISO dates: most pages need no date to be parsed."""
    given = [text for text in texts if text]
    return not given or (min(given) >= str(window[0]) and max(given) < str(window[1]))


def _refuse_far(days: pl.Series, window: Window, day_more: bool) -> None:
    latest = window[1] + (ONE_DAY if day_more else timedelta())
    far = days.filter((days < window[0] - ONE_DAY) | (days > latest))
    if far.len():
        first, last = cast("date", far.min()), cast("date", far.max())
        raise NotAsked(f"records of {first} to {last} came: {_IGNORED}")


def _entities(records: Sequence[Record], program: str, window: Window | None, day_more: bool) -> Belonging:
    """A tracked entity belongs by a day of enrolment in the programme; one that names none there cannot be placed."""
    if window is None:
        return Belonging(range(len(records)))
    rows: list[int] = []
    without: list[int] = []
    for n, record in enumerate(records):
        enrolled = _enrolled(record, program, window, day_more)
        if enrolled is None:
            without.append(n)
        elif enrolled:
            rows.append(n)
    if len(without) >= FEW and len(without) > len(records) / 2:
        raise NotAsked(
            f"{len(without)} of {len(records)} tracked entities came that were not enrolled then: {_IGNORED}"
        )
    return Belonging(rows, without)


def _enrolled(record: Record, program: str, window: Window, day_more: bool) -> bool | None:
    """Whether the entity belongs; None where nothing it says explains why it came."""
    start, end = window
    days = enrolment_days(record, program)
    if any(start <= day < end for day in days):
        return True
    near = [day for day in days if start - ONE_DAY <= day <= end]
    if not near:
        return None
    return any(day < end or not day_more for day in near)
