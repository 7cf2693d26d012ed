"""Weekly disease surveillance as the HMIS has it: the weeks of a world, their values and registrations.

Belongs here: the weekly part of ``World``, as of its clock and with the changes made to it. Does not belong here: how a
week is calculated (``weekly``), what happened in it (``clinical.idsr_counts``).
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hic_assets.sandbox.world import reporting, values, weekly
from hic_assets.sandbox.world.clinical import idsr_life, idsr_reports
from hic_assets.sandbox.world.clinical.idsr_counts import Country
from hic_assets.sandbox.world.clinical.shelf import ClinicalShelf
from hic_assets.sandbox.world.memo import Memo
from hic_assets.sandbox.world.mutations import Mutations
from hic_assets.sandbox.world.roster import Roster, fingerprint, local_midnight
from hic_assets.sandbox.world.trackers.shelf import TrackerShelf

WEEKS_KEPT = 60
"""Weeks kept in memory; what is told again is the same."""
_WEEKS: Memo[weekly.Week] = Memo(most=20_000, size=lambda week: len(week.roster))


class Surveillance(Mutations):
    """The weekly half of ``World``; needs its roster, clock, shelves and what makes a standing frame."""

    scale: float
    first_month: date
    roster: Roster
    trackers: TrackerShelf
    clinical: ClinicalShelf
    changes: int
    _weeks: OrderedDict[date, tuple[int, weekly.Week]]

    if TYPE_CHECKING:

        @property
        def today(self) -> date:
            """The date in Kigali; ``World`` says how."""

        def _index(self, org_units: list[str] | None) -> np.ndarray: ...  # type: ignore[type-arg]

        def _finish(
            self,
            month: date,
            frame: pl.DataFrame,
            org_units: list[str] | None,
            include_deleted: bool,
            since: int | None,
            elements: frozenset[str] | None,
            period: str | None = None,
        ) -> pl.DataFrame: ...

        def _still_complete(self, start: date, frame: pl.DataFrame) -> pl.DataFrame: ...

    def weeks(self) -> list[date]:
        """The Monday of every week from the first that begins in the history of the world to the one of the clock."""
        first = self.first_month + timedelta(days=-self.first_month.weekday() % 7)
        return [first + timedelta(days=7 * n) for n in range((self.today - first).days // 7 + 1)]

    def idsr_week(self, monday: date) -> weekly.Week:
        """What happened in a week, and how DHIS2 has it; of all facilities."""
        with self.lock:
            kept = self._weeks.get(monday)
            if kept is None or kept[0] != self.changes:
                kept = (self.changes, self._idsr_week(monday))
                self._weeks[monday] = kept
                while len(self._weeks) > WEEKS_KEPT:
                    self._weeks.popitem(last=False)
            return kept[1]

    def _idsr_week(self, monday: date) -> weekly.Week:
        of_life = None
        if monday >= self.trackers.start:
            story = self.clinical.story()
            events = story.once("notifiable", lambda: idsr_life.notifiable(story.life))
            of_life = idsr_life.in_week(story.life, events, monday)
        arrivals = self.overlay.arrivals.get(monday, {})
        told = (self.trackers.start, self.clinical.story().last_day) if of_life is not None else None
        asked = (fingerprint(self.roster), monday, self.seed, self.scale, told, tuple(sorted(arrivals.items())))
        country = Country(self.seed, self.scale)
        return _WEEKS.get(asked, lambda: weekly.week(self.roster, monday, country, of_life, arrivals))

    def week_values(
        self,
        monday: date,
        org_units: list[str] | None = None,
        *,
        include_deleted: bool = False,
        since: int | None = None,
        elements: frozenset[str] | None = None,
    ) -> pl.DataFrame:
        """The values of the weekly data set in the week that begins on this Monday; as ``data_values``."""
        if monday not in self.weeks():
            frame = pl.DataFrame(schema=values.SCHEMA)
        else:
            made = self.idsr_week(monday).take(self._index(org_units))
            frame = weekly.values(made, monday, self.now_ms, elements)
        return self._finish(monday, frame, org_units, include_deleted, since, elements, weekly.period_of(monday))

    def week_may_have_changed(self, monday: date, since: int) -> bool:
        """False when no value of the week can be newer than ``since`` (ms UTC)."""
        settled = local_midnight(monday) + (7 + idsr_reports.LONGEST_DELAY) * reporting.DAY < since
        return not settled or monday in self.overlay.arrivals or self.overlay.changed(monday, since)

    def week_registrations(self, monday: date, org_units: list[str] | None = None) -> pl.DataFrame:
        """Completeness registrations of a week known now; as ``registrations``."""
        made = self.idsr_week(monday).take(self._index(org_units))
        frame = weekly.registrations(made, monday, self.now_ms)
        return frame.clear() if monday not in self.weeks() else self._still_complete(monday, frame)

    def truth_weekly(self, monday: date, include_deleted: bool = True) -> pl.DataFrame:
        """The rows of ``raw.hmis_weekly_values`` for one week, sorted by key."""
        frame = self.week_values(monday, include_deleted=include_deleted)
        return frame.select(values.COLUMNS).sort(values.COLUMNS[:5])

    def truth_weekly_registrations(self, monday: date) -> pl.DataFrame:
        """The rows of ``raw.hmis_weekly_registrations`` for one week, sorted by key."""
        return self.week_registrations(monday).select(reporting.REGISTRATION_COLUMNS).sort("data_set", "org_unit")
