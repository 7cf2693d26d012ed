"""What a request asks, read strictly: an unknown, doubled or ill-formed parameter is refused, never ignored.

Belongs here: forms of days and moments, the window, and the collection of everything wrong with a request.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from starlette.datastructures import QueryParams

from hic_assets.sandbox.server.clinical.problems import Problem
from hic_assets.sandbox.world.roster import KIGALI, local_midnight, millis

LAST_MS = 4_102_444_800_000
"""1 January 2100: no moment asked for is later."""


@dataclass(frozen=True)
class Form:
    """How a system writes a day or a moment. ``read`` gives ms UTC (a day: its local midnight) or ValueError;
    ``length`` is how long what it names lasts (ms): one day, one week, or 1 for a moment.
    """

    name: str
    read: Callable[[str], int]
    length: int = 86_400_000


def _pattern(pattern: str, text: str) -> str:
    if not re.fullmatch(pattern, text, re.ASCII):
        raise ValueError
    return text


def _dmy(text: str) -> int:
    return local_midnight(datetime.strptime(_pattern(r"\d{2}/\d{2}/\d{4}", text), "%d/%m/%Y").date())


def _dmy_time(text: str) -> int:
    naive = datetime.strptime(_pattern(r"\d{2}/\d{2}/\d{4} \d{2}:\d{2}:\d{2}", text), "%d/%m/%Y %H:%M:%S")
    return millis(naive.replace(tzinfo=KIGALI))


def _iso_day(text: str) -> int:
    return local_midnight(date.fromisoformat(_pattern(r"\d{4}-\d{2}-\d{2}", text)))


def _iso_time(text: str) -> int:
    shape = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})"
    return millis(datetime.fromisoformat(_pattern(shape, text)))


def _epoch_ms(text: str) -> int:
    return int(_pattern(r"\d{1,13}", text))


def _epi_week(text: str) -> int:
    year, week = _pattern(r"\d{4}W\d{2}", text).split("W")
    return local_midnight(date.fromisocalendar(int(year), int(week), 1))


DMY = Form("dd/MM/yyyy", _dmy)
DMY_TIME = Form("dd/MM/yyyy HH:mm:ss", _dmy_time, 1)
ISO_DAY = Form("yyyy-MM-dd", _iso_day)
ISO_TIME = Form("yyyy-MM-ddTHH:mm:ss+02:00", _iso_time, 1)
EPOCH_MS = Form("milliseconds since 1970-01-01T00:00:00Z", _epoch_ms, 1)
EPI_WEEK = Form("ISO 8601 week as 2026W07", _epi_week, 7 * 86_400_000)


def day_text(ms: int, pattern: str) -> str:
    """A moment in Kigali by a strftime pattern."""
    return (
        datetime(1970, 1, 1, tzinfo=KIGALI) + timedelta(milliseconds=ms - local_midnight(date(1970, 1, 1)))
    ).strftime(pattern)


@dataclass
class Asked:
    """The parameters of one request; each is taken once, and ``done`` refuses what is wrong or left over."""

    params: QueryParams
    wrong: dict[str, str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def text(self, name: str, pattern: str = r"(?s).+") -> str | None:
        """A text that matches a pattern."""
        self._taken.add(name)
        given = self.params.getlist(name)
        if not given:
            return None
        if len(given) > 1:
            self.wrong[name] = "is given more than once"
        elif re.fullmatch(pattern, given[0], re.ASCII):
            return given[0]
        else:
            self.wrong[name] = "is empty" if not given[0] else "is not of the form it must have"
        return None

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number within bounds."""
        text = self.text(name)
        if text is None:
            return default
        if not re.fullmatch(r"-?\d{1,12}", text, re.ASCII) or not low <= int(text) <= high:
            self.wrong[name] = f"must be a whole number from {low} to {high}"
            return default
        return int(text)

    def moment(self, name: str, form: Form) -> int | None:
        """A day or a moment (ms UTC)."""
        text = self.text(name)
        if text is None:
            return None
        try:
            found = form.read(text)
        except (ValueError, OverflowError):
            found = LAST_MS + 1
        if found <= LAST_MS:
            return found
        self.wrong[name] = f"must be of the form {form.name}"
        return None

    def given(self, name: str) -> bool:
        """Whether the request has it, in whatever form."""
        return name in self.params

    def done(self) -> None:
        """Raises Problem 422 with everything that is wrong."""
        for name in self.params:
            if name not in self._taken:
                self.wrong[name] = "is not a parameter of this resource"
        if self.wrong:
            raise Problem(422, "The request has parameters that are wrong.", dict(self.wrong))


@dataclass(frozen=True)
class Span:
    """What is asked: what happened in [begin, end) and changed at or after since (ms UTC; None: no limit)."""

    begin: int | None
    end: int | None
    since: int | None


@dataclass(frozen=True)
class Window:
    """Parameters by which a window of days and the incremental filter are asked.

    ``end`` is None where ``start`` alone names the window (a week). A whole window, ``since`` or both are required.
    """

    start: str
    end: str | None
    form: Form
    inclusive_end: bool
    since: str
    since_form: Form

    def read(self, asked: Asked) -> Span:
        """The span asked for; what is wrong with it is noted in ``asked``."""
        begin = asked.moment(self.start, self.form)
        since = asked.moment(self.since, self.since_form)
        if self.end is None:
            end = None if begin is None else begin + self.form.length
        else:
            end = asked.moment(self.end, self.form)
            for one, other in ((self.start, self.end), (self.end, self.start)):
                if asked.given(one) and not asked.given(other):
                    asked.wrong[other] = f"is required with {one}"
        if end is not None and self.end is not None and self.inclusive_end:
            end += self.form.length
        if begin is not None and end is not None and end < begin:
            asked.wrong[str(self.end)] = f"is before {self.start}"
        if not asked.given(self.start) and not asked.given(self.since):
            asked.wrong.setdefault(self.start, f"is required, unless {self.since} is given")
        return Span(begin, end, since)
