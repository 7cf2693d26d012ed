"""The world of the sandbox: one seeded country with a clock, and the changes made to it.

Belongs here: the public face that the server and the tests use. Rules are in the modules beside it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from hic_assets.sandbox.world import catalogue, facilities, geography, population, reporting, values
from hic_assets.sandbox.world.clinical.shelf import ClinicalShelf
from hic_assets.sandbox.world.overlay import Overlay
from hic_assets.sandbox.world.roster import (
    KIGALI,
    Roster,
    add_months,
    local_midnight,
    next_month,
    utc,
)
from hic_assets.sandbox.world.surveillance import Surveillance
from hic_assets.sandbox.world.trackers.shelf import TRACKERS_FROM, TrackerShelf
from hic_assets.sandbox.world.trackers.store import TrackerStore

DEFAULT_TODAY = date(2026, 9, 15)
FIRST_MONTH = date(2022, 1, 1)


NATIONAL_POPULATION = 14_000_000


class World(Surveillance):
    """A deterministic miniature country.

    ``scale`` 1.0 is national (1,281 facilities). ``today`` sets the clock to noon in Kigali of that day; only what
    had arrived by ``now`` is visible. ``version`` is the DHIS2 version its server speaks and ``timezone`` the one its
    clock shows (reports are made in Kigali all the same). The patient-level trackers went live on ``trackers_from``.
    """

    def __init__(
        self,
        seed: int = 1,
        scale: float = 0.05,
        today: date = DEFAULT_TODAY,
        version: str = "2.40.12",
        first_month: date = FIRST_MONTH,
        timezone: str = "Africa/Kigali",
        trackers_from: date = TRACKERS_FROM,
    ) -> None:
        self.seed, self.scale, self.version, self.first_month = seed, scale, version, first_month
        self.now = datetime(today.year, today.month, today.day, 12, tzinfo=KIGALI)
        self.timezone = ZoneInfo(timezone)
        self.facilities = facilities.build(seed, scale)
        self.overlay = Overlay()
        self.metadata_stamps: dict[str, int] = {}
        self.revision = 0
        self.changes = 0
        """How often what is derived from facilities and overlay was recomputed; the clock alone does not count."""
        self.lock = threading.RLock()
        self.trackers = TrackerShelf(self, trackers_from)
        self.clinical = ClinicalShelf(self)
        self._weeks = OrderedDict()
        self.refresh()

    def refresh(self) -> None:
        """Recompute what is derived from the list of facilities; called after a mutation."""
        self.roster = Roster.of(self.facilities)
        self.position = {f.uid: i for i, f in enumerate(self.facilities)}
        self.revision += 1
        self.changes += 1

    def utc_offset(self, ms: int) -> int:
        """Milliseconds the server's clock is ahead of UTC at a moment."""
        offset = utc(ms).astimezone(self.timezone).utcoffset() or timedelta(0)
        return round(offset.total_seconds() * 1000)

    @property
    def today(self) -> date:
        """The date in Kigali."""
        return self.now.astimezone(KIGALI).date()

    @property
    def population(self) -> int:
        """Persons whom records may be about: the country's 14 million, at this scale."""
        return round(NATIONAL_POPULATION * self.scale)

    def advance(self, **delta: float) -> None:
        """Move the clock on, e.g. ``advance(days=3)``."""
        self.set_now(self.now + timedelta(**delta))

    def set_now(self, now: datetime) -> None:
        """Set the clock (aware, or local to Kigali)."""
        with self.lock:
            self.now = now if now.tzinfo else now.replace(tzinfo=KIGALI)
            self.revision += 1

    def tracker(self, name: str) -> TrackerStore:
        """One of the patient-level trackers by instance name (``hiv_tracker``), built at first use."""
        return self.trackers.store(name)

    # ---- organisation units

    def path(self, facility: facilities.Facility) -> str:
        """The path of a facility."""
        return f"{geography.by_uid()[facility.sector].path}/{facility.uid}"

    def inside(self, org_unit: str) -> list[str]:
        """Facility uids at or below an organisation unit; unlisted facilities included."""
        if org_unit in self.position:
            return [org_unit]
        unit = geography.by_uid().get(org_unit)
        if unit is None:
            return []
        below = {u.uid for u in geography.tree() if u.path.startswith(unit.path)}
        return [f.uid for f in self.facilities if f.sector in below]

    def months(self) -> list[date]:
        """Every month from the first one to the one of the clock."""
        found, month = [], self.first_month
        while month <= self.today:
            found.append(month)
            month = next_month(month)
        return found

    # ---- aggregate data

    def _index(self, org_units: list[str] | None) -> np.ndarray:  # type: ignore[type-arg]
        if org_units is None:
            return np.arange(len(self.facilities))
        return np.array(sorted({self.position[u] for u in org_units if u in self.position}), dtype=np.int64)

    def reports(self, month: date, org_units: list[str] | None = None) -> tuple[Roster, reporting.Reports]:
        """The reports of these facilities (all when None) about one month."""
        roster = self.roster.take(self._index(org_units))
        return roster, reporting.reports(roster, month, self.overlay.arrivals.get(month))

    def data_values(
        self,
        month: date,
        org_units: list[str] | None = None,
        *,
        include_deleted: bool = False,
        since: int | None = None,
        elements: frozenset[str] | None = None,
    ) -> pl.DataFrame:
        """What the server would show of a month now: columns ``values.COLUMNS`` (all text), ``created`` and ``_ts``.

        ``org_units`` are facility uids; ``since`` keeps rows whose lastUpdated (ms UTC) is at or after it;
        ``elements`` are data element uids. Nothing is visible outside the history of the world.
        """
        if month < self.first_month or next_month(month) > add_months(self.today.replace(day=1), 1):
            frame = pl.DataFrame(schema=values.SCHEMA)
        else:
            roster, made = self.reports(month, org_units)
            if since is not None:
                roster, made = self._changed(month, roster, made, since)
            frame = values.month_values(roster, month, made, self.now_ms, elements)
        return self._finish(month, frame, org_units, include_deleted, since, elements)

    def _changed(
        self, month: date, roster: Roster, made: reporting.Reports, since: int
    ) -> tuple[Roster, reporting.Reports]:
        """Only facilities with a report that arrived or was edited since; sections are saved within two hours."""
        margin = since - 2 * reporting.HOUR
        now = self.now_ms
        recent = ((made.arrived >= margin) & (made.arrived <= now)) | ((made.edited >= margin) & (made.edited <= now))
        index = np.nonzero(recent.any(axis=1))[0]
        return roster.take(index), reporting.Reports(**{n: v[index] for n, v in made.__dict__.items()})

    def year_values(
        self,
        year: int,
        org_units: list[str] | None = None,
        *,
        include_deleted: bool = False,
        since: int | None = None,
        elements: frozenset[str] | None = None,
    ) -> pl.DataFrame:
        """The values of the yearly data set; ``org_units`` may hold facility and district uids. As ``data_values``."""
        districts = population.districts_by_code()
        frame = population.year_values(self.roster, districts, year, self.now_ms)
        if year < self.first_month.year - 2:
            frame = frame.clear()
        if org_units is not None:
            frame = frame.filter(pl.col("org_unit").is_in(org_units))
        if elements is not None:
            frame = frame.filter(pl.col("data_element").is_in(list(elements)))
        return self._finish(date(year, 1, 1), frame, org_units, include_deleted, since, elements, str(year))

    def _finish(
        self,
        month: date,
        frame: pl.DataFrame,
        org_units: list[str] | None,
        include_deleted: bool,
        since: int | None,
        elements: frozenset[str] | None,
        period: str | None = None,
    ) -> pl.DataFrame:
        period = period or f"{month:%Y%m}"
        frame = self.overlay.apply(month, frame, None if org_units is None else set(org_units), self.now_ms)
        keep = pl.col("period") == period
        if not include_deleted:
            keep &= pl.col("deleted").is_null()
        if since is not None:
            keep &= pl.col("_ts") >= since
        if elements is not None:
            keep &= pl.col("data_element").is_in(list(elements))
        return frame.filter(keep)

    def may_have_changed(self, month: date, since: int) -> bool:
        """False when no value of the month can be newer than ``since`` (ms UTC): its reports are long settled."""
        settled = local_midnight(next_month(month)) + reporting.LONGEST_DELAY * reporting.DAY < since
        return not settled or month in self.overlay.arrivals or self.overlay.changed(month, since)

    def registrations(self, month: date, org_units: list[str] | None = None) -> pl.DataFrame:
        """Completeness registrations of a month known now: ``reporting.REGISTRATION_COLUMNS`` and ``_ts``."""
        roster, made = self.reports(month, org_units)
        frame = reporting.registrations(roster, month, made, self.now_ms)
        return frame.clear() if month < self.first_month else self._still_complete(month, frame)

    def _still_complete(self, start: date, frame: pl.DataFrame) -> pl.DataFrame:
        """Without the registrations of the period beginning on this day that were taken back."""
        gone = self.overlay.uncompleted.get(start)
        if gone:
            dropped = pl.DataFrame(list(gone), schema=["org_unit", "data_set"], orient="row")
            frame = frame.join(dropped, on=["org_unit", "data_set"], how="anti")
        return frame

    # ---- the truth

    def truth(self, month: date, include_deleted: bool = True) -> pl.DataFrame:
        """The rows of ``raw.hmis_data_values`` for one month, sorted by key: the eleven raw columns, all text."""
        frame = self.data_values(month, include_deleted=include_deleted)
        return frame.select(values.COLUMNS).sort(values.COLUMNS[:5])

    def truth_yearly(self, year: int, include_deleted: bool = True) -> pl.DataFrame:
        """The rows of ``raw.hmis_yearly_values`` for one year, sorted by key."""
        frame = self.year_values(year, include_deleted=include_deleted)
        return frame.select(values.COLUMNS).sort(values.COLUMNS[:5])

    def truth_registrations(self, month: date) -> pl.DataFrame:
        """The rows of ``raw.hmis_complete_registrations`` for one month, sorted by key."""
        return self.registrations(month).select(reporting.REGISTRATION_COLUMNS).sort("data_set", "org_unit")

    def element(self, code: str) -> str:
        """The uid of a data element given its code."""
        return catalogue.by_code()[code].uid
