"""How the days of a partition, [start, end) in Kigali, are asked of an API. Pure.

Belongs here: which parameters, in which form, whether the end is included. Does not: which record belongs to which
day (`placing.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from hic_assets.extract.rest.moments import (
    KIGALI,
    RESOLUTION,
    TimeForm,
    is_week,
    midnight,
    write_day,
    write_moment,
)

Params = tuple[tuple[str, str], ...]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """Two parameters, from when and until when.

    `last_included`: the end asked for is part of the answer (it is then the last day, or the last moment that the form
    can write before the end); else the answer ends before it. `zone`: in which ISO_TIME is written; the moment is the
    same in any.
    """

    start: str
    end: str
    form: TimeForm
    last_included: bool = False
    zone: str = KIGALI

    def __post_init__(self) -> None:
        if self.form is TimeForm.EPI_WEEK:
            raise ValueError("weeks are asked one by one: use EpiWeeks")

    def asked(self, start: date, end: date) -> tuple[Params, ...]:
        """The parameters of each request that together cover [start, end) once: here one."""
        _check(start, end)
        if self.form.is_day:
            until = end - _DAY if self.last_included else end
            return (((self.start, write_day(start, self.form)), (self.end, write_day(until, self.form))),)
        last = midnight(end) - RESOLUTION[self.form] if self.last_included else midnight(end)
        first = write_moment(midnight(start), self.form, self.zone)
        return (((self.start, first), (self.end, write_moment(last, self.form, self.zone))),)


@dataclass(frozen=True)
class EpiWeeks:
    """One parameter, an ISO week: a request a week."""

    week: str

    def asked(self, start: date, end: date) -> tuple[Params, ...]:
        """The parameters of each request. Raises ValueError where [start, end) is no whole weeks."""
        _check(start, end)
        if not is_week(start, end):
            raise ValueError(f"{start} to {end} is no whole weeks")
        mondays = (start + n * 7 * _DAY for n in range((end - start).days // 7))
        return tuple(((self.week, write_day(monday, TimeForm.EPI_WEEK)),) for monday in mondays)


AnyWindow = Window | EpiWeeks


def _check(start: date, end: date) -> None:
    if end <= start:
        raise ValueError("the window must end after it starts")
