"""IDSR, the direct path: weekly notifications of every facility that uses it, and its cases of immediate diseases.

Belongs here: what the system is, and its weekly notifications. Does not belong here: what is true (``idsr_counts``,
``idsr_outbreaks``), who reports what and when (``idsr_reports``), cases (``idsr_cases``). Source: domain facts 2.4.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical import idsr_cases, idsr_life, idsr_reports
from hic_assets.sandbox.world.clinical.base import NOBODY, ClinicalSystem, Resource, Times, with_earlier
from hic_assets.sandbox.world.clinical.idsr_counts import Country, Counts, week_counts
from hic_assets.sandbox.world.clinical.idsr_diseases import BANDS, DISEASES
from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.hashing import keys, mix, uniform
from hic_assets.sandbox.world.reporting import DAY
from hic_assets.sandbox.world.roster import NEVER, Roster, local_midnight, next_month
from hic_assets.sandbox.world.trackers.moments import day_number
from hic_assets.sandbox.world.trackers.packing import uids

NAME = idsr_cases.NAME
WITHDRAWN = 0.001
"""Notifications that were entered for the wrong facility, and are deleted."""
DISEASE_PAUSE = 20_000
"""Each disease of a report is saved so many milliseconds after the one before."""


def mondays(month: date) -> list[date]:
    """The Mondays of a calendar month: a week belongs to the month in which it begins."""
    first = month + timedelta(days=-month.weekday() % 7)
    return [day for n in range(5) if (day := first + timedelta(days=7 * n)) < next_month(month)]


def roster(story: Story) -> Roster:
    """The facilities of the story as columns."""
    return story.once("idsr roster", lambda: Roster.of(list(story.facilities)))


def true_counts(story: Story, week: date) -> Counts:
    """What happened in a week."""
    events = story.once("notifiable", lambda: idsr_life.notifiable(story.life))
    of_life = idsr_life.in_week(story.life, events, week)
    return week_counts(roster(story), week, Country(story.seed, story.scale), of_life)


def tell_notifications(story: Story, month: date) -> pl.DataFrame:
    """The notifications of the weeks that begin in a month: one row a facility that reports, disease and week."""
    return pl.concat([_notifications(story, week) for week in mondays(month)])


def _notifications(story: Story, week: date) -> pl.DataFrame:
    facilities, true = roster(story), true_counts(story, week)
    first = idsr_reports.first_told(facilities, week, true)
    path = idsr_reports.reports(facilities, week).direct
    place = np.repeat(np.nonzero(path.arrived != NEVER)[0], len(DISEASES))
    disease = np.tile(np.arange(len(DISEASES)), len(place) // len(DISEASES))
    hashes = mix(facilities.keys[place] ^ keys(("notification", week), [d.code for d in DISEASES])[disease])
    entered = path.arrived[place] + disease * DISEASE_PAUSE
    changed = (true.cases != first.cases)[place, disease].any(axis=1) | (true.deaths != first.deaths)[
        place, disease
    ].any(axis=1)
    corrects = changed & (path.corrected[place] != NEVER)
    edited = np.where(corrects, path.corrected[place], NEVER)
    last = np.where(corrects, edited, entered)
    removed = np.where(uniform(hashes) < WITHDRAWN, last + 2 * DAY, NEVER)
    nobody = np.full(len(place), NOBODY, dtype=np.uint64)
    frame = pl.DataFrame(
        {
            "id": "N" + uids(hashes),
            "facility": pl.Series(place, dtype=pl.Int64),
            "week": pl.repeat(week, len(place), dtype=pl.Date, eager=True),
            "disease": pl.Series([d.code for d in DISEASES]).gather(pl.Series(disease)),
            # where the correction never reached this path, the first figures stay
            "bands": _bands(_chosen(corrects, true, first, place, disease)),
            **Times(np.full(len(place), local_midnight(week)), entered, edited, removed, nobody).columns(),
        }
    )
    return with_earlier(frame, "bands", _bands(_chosen(np.zeros(len(place), dtype=bool), true, first, place, disease)))


def _chosen(corrected: np.ndarray, true: Counts, first: Counts, place: np.ndarray, disease: np.ndarray) -> Counts:  # type: ignore[type-arg]
    """Counts of these facilities and diseases, shape (rows, bands): the true ones where corrected."""
    here = corrected[:, None]
    return Counts(
        np.where(here, true.cases[place, disease], first.cases[place, disease]),
        np.where(here, true.deaths[place, disease], first.deaths[place, disease]),
    )


def _bands(counts: Counts) -> pl.Series:
    """A list of structs a row: ``age_group``, ``cases``, ``deaths``."""
    frame = pl.DataFrame(
        {f"{what}_{code}": table[:, at] for at, (code, _) in enumerate(BANDS) for what, table in vars(counts).items()}
    )
    structs = [
        pl.struct(
            pl.lit(code).alias("age_group"),
            pl.col(f"cases_{code}").alias("cases"),
            pl.col(f"deaths_{code}").alias("deaths"),
        )
        for code, _ in BANDS
    ]
    return frame.select(pl.concat_list(structs)).to_series()


def tell_cases(story: Story, month: date) -> pl.DataFrame:
    """The notifications of the cases seen in a month; none before the persons of the trackers are known."""
    facilities, end = roster(story), next_month(month)
    before = mondays((month - timedelta(days=1)).replace(day=1))[-1:]
    parts = [
        idsr_cases.week_of(story, facilities, week, true_counts(story, week))
        for week in [*before, *mondays(month)]
        if day_number(week) >= story.first_day
    ]
    if not parts:
        return idsr_cases.week_of(story, facilities, month, true_counts(story, month)).clear()
    return pl.concat(parts).filter(pl.col("day") >= month, pl.col("day") < end)


SYSTEM = ClinicalSystem(
    NAME,
    date(2025, 1, 1),
    (
        Resource("notifications", tell_notifications, ("bands",)),
        Resource("cases", tell_cases, ("classification", "outcome")),
    ),
)
