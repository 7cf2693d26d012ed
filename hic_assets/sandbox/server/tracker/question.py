"""What a request for records asks: which programmes, units and conditions, in what order, and which page.

Belongs here: the question and what both families of endpoints read alike. Does not belong here: the names of the
parameters (see ``unified`` and ``legacy``), nor the answering (see ``rows``). Source: contract 1.6, 1.7, 1.10.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl
from starlette.datastructures import QueryParams

from hic_assets.sandbox.server.fields import Field
from hic_assets.sandbox.server.replies import ApiError
from hic_assets.sandbox.server.tracker.dialect import TrackerDialect
from hic_assets.sandbox.world import World, geography
from hic_assets.sandbox.world.roster import millis
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec

MODES = ("SELECTED", "CHILDREN", "DESCENDANTS", "ACCESSIBLE", "CAPTURE", "ALL")
DEFAULT_PAGE_SIZE = 50
_UID = re.compile(r"^[a-zA-Z][a-zA-Z0-9]{10}$")
_DURATION = re.compile(r"^(\d+)(d|h|m|s)$")
_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000}
# the day of an event: that it happened, else that it was due
EVENT_DAY = pl.coalesce(pl.col("occurred_at").cast(pl.Datetime("ms")), pl.col("scheduled_at").cast(pl.Datetime("ms")))


@dataclass(frozen=True)
class Paging:
    """Which part of the rows: ``size`` None is all of them; ``totals`` asks for their number."""

    page: int = 1
    size: int | None = DEFAULT_PAGE_SIZE
    totals: bool = False


@dataclass
class Question:
    """``units`` None is everywhere. ``enrolled`` and ``happened``: the record must have an enrolment or event so."""

    kind: str
    programs: tuple[str, ...]
    paging: Paging
    fields: list[Field]
    units: frozenset[str] | None = None
    selected: frozenset[str] | None = None
    conditions: list[pl.Expr] = field(default_factory=list)
    enrolled: list[pl.Expr] = field(default_factory=list)
    happened: list[pl.Expr] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    include_deleted: bool = False


@dataclass(frozen=True)
class Asked:
    """The parameters of a request, with the world and the version they are read for."""

    params: QueryParams
    dialect: TrackerDialect
    world: World
    programmes: tuple[ProgrammeSpec, ...]

    def bad(self, message: str) -> ApiError:
        """The refusal of a question that makes no sense."""
        return ApiError(self.dialect.bad_request, None, message)

    def text(self, name: str) -> str | None:
        """A parameter; empty is absent."""
        return self.params.get(name) or None

    def flag(self, name: str) -> bool | None:
        """A boolean parameter; ApiError 400 when it is neither."""
        text = self.text(name)
        if text is None:
            return None
        if text.lower() not in ("true", "false"):
            raise invalid(text, name)
        return text.lower() == "true"

    def number(self, name: str, default: int) -> int:
        """A number of at least 1; ApiError 400 when it is none."""
        text = self.text(name)
        if text is None:
            return default
        try:
            number = int(text)
        except ValueError:
            raise invalid(text, name) from None
        if number < 1 and self.dialect.checks_order:
            raise ApiError(400, None, f"{name} must be greater than or equal to 1 if specified")
        return max(1, number)

    def local(self, name: str) -> datetime | None:
        """A date or time in the server's zone, without the zone."""
        text = self.text(name)
        if text is None:
            return None
        # a bare + arrives as a space
        text = re.sub(r" (\d{2}:?\d{2})$", r"+\1", text)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise invalid(text, name) from None
        return moment.astimezone(self.world.timezone).replace(tzinfo=None) if moment.tzinfo else moment

    def moment(self, name: str) -> int | None:
        """A time as milliseconds UTC."""
        local = self.local(name)
        return None if local is None else millis(local.replace(tzinfo=self.world.timezone))

    def duration(self, name: str) -> int | None:
        """The moment that lies a short duration (``1d``, ``12h``) back; the ISO form is refused."""
        text = self.text(name)
        if text is None:
            return None
        match = _DURATION.match(text)
        if match is None:
            raise self.bad(f"Duration is not valid: {text}")
        return self.world.now_ms - int(match.group(1)) * _UNITS[match.group(2)]

    def uids(self, name: str, separator: str) -> frozenset[str]:
        """A list of uids; where commas part them each must be one."""
        found = [u for text in self.params.getlist(name) for u in text.split(separator) if u]
        if separator == ",":
            for text in found:
                if not _UID.match(text):
                    raise invalid(text, name)
        return frozenset(found)

    def program(self) -> str | None:
        """The programme asked for, which must be one of this instance."""
        uid = self.text("program")
        if uid is not None and uid not in {p.uid for p in self.programmes}:
            raise self.bad(f"Program is specified but does not exist: {uid}")
        return uid

    def stage(self) -> str | None:
        """The stage asked for, which must be one of this instance."""
        uid = self.text("programStage")
        if uid is not None and uid not in {s.uid for p in self.programmes for s in p.stages}:
            raise self.bad(f"Program stage is specified but does not exist: {uid}")
        return uid

    def changed(self, after: str, before: str | None, within: str) -> list[pl.Expr]:
        """Conditions on the change time; both ends are included."""
        begin, end = self.moment(after), self.moment(before) if before else None
        back = self.duration(within)
        if back is not None and (begin is not None or end is not None):
            raise self.bad("Last updated from and/or to and last updated duration cannot be specified simultaneously")
        begin = back if begin is None else begin
        found = []
        if begin is not None:
            found.append(pl.col("updated_ms") >= begin)
        if end is not None:
            found.append(pl.col("updated_ms") <= end)
        return found

    def between(self, day: pl.Expr, after: str, before: str) -> list[pl.Expr]:
        """Conditions on a local day; the last day is included whole."""
        begin, end = self.local(after), self.local(before)
        found = []
        if begin is not None:
            found.append(day >= begin)
        if end is not None:
            found.append(day < pl.lit(end) + pl.duration(days=1))
        return found

    def units(self, uids: Iterable[str], mode: str) -> frozenset[str] | None:
        """The units a mode reaches from these, None for all; an unknown one is refused."""
        known = geography.by_uid()
        reached: set[str] = set()
        for uid in uids:
            if uid not in known and uid not in self.world.position:
                raise self.bad(f"Organisation unit does not exist: {uid}")
            reached.add(uid)
            unit = known.get(uid)
            if unit is None or mode == "SELECTED":
                continue
            if mode == "CHILDREN":
                reached |= {u.uid for u in known.values() if u.parent == uid}
                reached |= {f.uid for f in self.world.facilities if f.sector == uid}
            elif unit.parent is None:
                return None
            else:
                reached |= {u.uid for u in known.values() if u.path.startswith(unit.path)}
                reached |= set(self.world.inside(uid))
        return frozenset(reached)


def day(column: str) -> pl.Expr:
    """A column of days as a local time (midnight, unless somebody moved it)."""
    return pl.col(column).cast(pl.Datetime("ms"))


def invalid(text: str, name: str) -> ApiError:
    """The 400 of a value that is not of its parameter's type."""
    return ApiError(400, None, f"Value '{text}' is not valid for parameter {name}.")
