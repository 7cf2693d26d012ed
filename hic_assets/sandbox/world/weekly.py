"""The weekly data set of the HMIS: disease surveillance as it reaches DHIS2, calculated for any week; nothing is kept.

Belongs here: from what was reported (``clinical.idsr_reports``) to data values and registrations. Does not belong here:
what happened, who reports. A cell of cases holds its zero (``zeroIsSignificant``); deaths are entered beside cases only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from hic_assets.sandbox.world import catalogue
from hic_assets.sandbox.world.clinical import idsr_reports
from hic_assets.sandbox.world.clinical.idsr_counts import SHAPE, Country, Counts, week_counts
from hic_assets.sandbox.world.clinical.idsr_reports import Path, Reports
from hic_assets.sandbox.world.hashing import cross, salted, uniform
from hic_assets.sandbox.world.reporting import DAY, REGISTRATION_COLUMNS, local_dates
from hic_assets.sandbox.world.roster import I64, NEVER, Roster, local_midnight
from hic_assets.sandbox.world.values import SCHEMA, timestamps

DATA_SET = "IDSR_WEEKLY"
FORGOTTEN, UNCOMPLETED, EMPTY_PROMISE = 0.02, 0.005, 0.01
"""Reports that nobody marks complete; whose mark is taken back; marks without a report."""
REMOVED = 0.03
"""Of the cells that a correction changes: those that are deleted."""


def period_of(week: date) -> str:
    """The week that begins on this Monday as DHIS2 writes it: of the ISO year, its number not padded."""
    year, number, _ = week.isocalendar()
    return f"{year}W{number}"


@dataclass(frozen=True)
class Week:
    """A week of the whole country as typed into DHIS2: who reports when, what is said in the end, what was said first."""

    roster: Roster
    reports: Reports
    final: Counts
    first: Counts

    def take(self, index: I64) -> Week:
        """The facilities at these positions."""
        r = self.reports
        paths = [Path(p.arrived[index], p.corrected[index]) for p in (r.direct, r.dhis2)]
        counts = [Counts(c.cases[index], c.deaths[index]) for c in (self.final, self.first)]
        return Week(self.roster.take(index), Reports(r.expected[index], *paths), *counts)


def week(
    roster: Roster,
    monday: date,
    country: Country,
    of_life: Mapping[str, pl.DataFrame] | None,
    arrivals: Mapping[tuple[str, str], int],
) -> Week:
    """A week as DHIS2 has it in the end. ``arrivals`` overrides arrival by (facility uid, data set code)."""
    true = week_counts(roster, monday, country, of_life)
    first = idsr_reports.first_told(roster, monday, true)
    slips = idsr_reports.typed(roster, monday, first)
    # who corrects a report types that cell again, and rightly
    typed = Counts(
        np.where(true.cases == first.cases, idsr_reports.typed(roster, monday, true).cases, true.cases), true.deaths
    )
    made = idsr_reports.reports(roster, monday)
    arrived = made.dhis2.arrived.copy()
    for (facility, data_set), moment in arrivals.items():
        if data_set == DATA_SET:
            arrived[roster.uids == facility] = moment
    corrected = np.where(arrived == NEVER, NEVER, np.maximum(made.dhis2.corrected, arrived))
    return Week(roster, replace(made, dhis2=Path(arrived, corrected)), typed, slips)


def values(made: Week, monday: date, now: int, elements: frozenset[str] | None = None) -> pl.DataFrame:
    """Every stored value of the week known at ``now``, tombstones included; columns as ``values.SCHEMA``."""
    path = made.reports.dhis2
    here = np.nonzero(path.arrived <= now)[0]
    if not len(here):
        return pl.DataFrame(schema=SCHEMA)
    one, path = made.take(here), Path(path.arrived[here], path.corrected[here])
    said = idsr_reports.told(path, one.final, one.first, now)
    numbers, before = (np.stack([c.cases, c.deaths], axis=2) for c in (said, one.first))
    changed = numbers != before
    blank = idsr_reports.leaves_blank(one.roster)[:, None, None]
    entered = np.maximum(said.cases, one.first.cases) > 0
    filled = np.stack([entered | ~blank, entered], axis=2)
    if elements is not None:
        filled &= np.array([e.uid in elements for e in catalogue.weekly_elements()]).reshape(1, SHAPE[0], 2, 1)
    return _frame(one.roster, monday, path, filled, numbers, changed)


def _frame(
    roster: Roster,
    monday: date,
    path: Path,
    filled: np.ndarray,
    numbers: I64,
    changed: np.ndarray,  # type: ignore[type-arg]
) -> pl.DataFrame:
    """``filled``, ``numbers``, ``changed``: of shape (facilities, diseases, cases and deaths, bands)."""
    row, disease, what, band = np.nonzero(filled)
    element = 2 * disease + what
    moved = changed[row, disease, what, band]
    cells = cross(salted(roster.keys, "idsr row", monday), catalogue.weekly_keys())[row, 2 * element + band]
    entered, final = path.arrived[row], np.where(moved, path.corrected[row], path.arrived[row])
    removed = moved & (uniform(salted(cells, "gone")) < REMOVED)
    length = len(row)
    uids = pl.Series([e.uid for e in catalogue.weekly_elements()], dtype=pl.String)
    combos = pl.Series([c.uid for c in catalogue.option_combos(catalogue.WEEKLY_COMBO)], dtype=pl.String)
    return pl.DataFrame(
        {
            "data_element": uids.gather(element),
            "period": pl.repeat(period_of(monday), length, dtype=pl.String, eager=True),
            "org_unit": pl.Series(roster.uids.tolist(), dtype=pl.String).gather(row),
            "category_option_combo": combos.gather(band),
            "attribute_option_combo": pl.repeat(catalogue.DEFAULT_COMBO, length, dtype=pl.String, eager=True),
            "value": pl.Series(numbers[row, disease, what, band]).cast(pl.String),
            "stored_by": pl.Series([f"idsr.{d}" for d in roster.district], dtype=pl.String).gather(row),
            "last_updated": timestamps(final),
            "comment": pl.repeat(None, length, dtype=pl.String, eager=True),
            "follow_up": pl.repeat("false", length, dtype=pl.String, eager=True),
            "deleted": pl.repeat(None, length, dtype=pl.String, eager=True).set(pl.Series(removed), "true"),
            "created": timestamps(entered),
            "_ts": pl.Series(final, dtype=pl.Int64),
        },
        schema=SCHEMA,
    )


def registrations(made: Week, monday: date, now: int) -> pl.DataFrame:
    """The completeness registrations of a week known at ``now``: ``reporting.REGISTRATION_COLUMNS`` and ``_ts``."""
    h = salted(made.roster.keys, "idsr complete", monday)
    u, arrived = uniform(h), made.reports.dhis2.arrived
    promise = made.reports.expected & (arrived == NEVER) & (u < EMPTY_PROMISE)
    marked = (arrived != NEVER) & (u >= FORGOTTEN)
    empty = local_midnight(monday + timedelta(days=7)) + DAY // 2
    stamp = np.where(marked, arrived + np.where(marked, DAY // 96, 0), np.where(promise, empty, NEVER))
    row = np.nonzero(stamp <= now)[0]
    length = len(row)
    taken_back = uniform(salted(h, "taken back"))[row] < UNCOMPLETED
    frame = {
        "data_set": pl.repeat(catalogue.data_set_uid(DATA_SET), length, dtype=pl.String, eager=True),
        "period": pl.repeat(period_of(monday), length, dtype=pl.String, eager=True),
        "org_unit": pl.Series(made.roster.uids.tolist(), dtype=pl.String).gather(row),
        "attribute_option_combo": pl.repeat(catalogue.DEFAULT_COMBO, length, dtype=pl.String, eager=True),
        "date": local_dates(stamp[row]),
        "stored_by": pl.Series([f"idsr.{d}" for d in made.roster.district], dtype=pl.String).gather(row),
        "completed": pl.Series(np.where(taken_back, "false", "true").tolist(), dtype=pl.String),
        "_ts": pl.Series(stamp[row], dtype=pl.Int64),
    }
    return pl.DataFrame(frame).select(*REGISTRATION_COLUMNS, "_ts")
