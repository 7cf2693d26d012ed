"""Notifiable events that are events of ``Life``: maternal deaths, and perinatal and neonatal deaths.

Belongs here: which births they are. Does not belong here: other diseases, whose cases are drawn (``idsr_counts``) and
then given persons (``idsr_people``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical.idsr_diseases import FIVE_AND_OVER, UNDER_FIVE
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.life import Life
from hic_assets.sandbox.world.trackers.packing import I64

NEONATE = 28
"""Days of life within which a death is a neonatal one."""


@dataclass(frozen=True)
class Events:
    """Events of one disease in order of day: the ``row`` of ``Life.births``, the ``day`` (since 1970), the age band."""

    row: I64
    day: I64
    band: int


def notifiable(life: Life) -> dict[str, Events]:
    """By disease, every event of the story."""
    born = life.births
    mother = np.nonzero((born.mother_died <= life.last_day) & ~born.second_twin)[0]
    lived = born.died - born.persons.born
    child = np.nonzero(born.stillborn | ((lived < NEONATE) & (born.died <= life.last_day)))[0]
    day = np.where(born.stillborn, born.persons.born, born.died)
    return {
        "MATERNAL_DEATH": _sorted(mother, born.mother_died[mother], FIVE_AND_OVER),
        "PERINATAL_DEATH": _sorted(child, day[child], UNDER_FIVE),
    }


def _sorted(row: I64, day: I64, band: int) -> Events:
    order = np.argsort(day, kind="stable")
    return Events(row[order], day[order], band)


def in_week(life: Life, found: dict[str, Events], week: date) -> dict[str, pl.DataFrame] | None:
    """By disease, the events of a week: ``facility`` uid, ``band``, ``row``, ``day``; None where the story tells nothing."""
    begin = moments.day_number(week)
    if begin < life.first_day or begin + 6 > life.last_day:
        return None
    made = {}
    for disease, events in found.items():
        first, last = np.searchsorted(events.day, [begin, begin + 7])
        row = events.row[first:last]
        made[disease] = pl.DataFrame(
            {
                "facility": life.places.units.gather(pl.Series(life.births.place[row])),
                "band": pl.Series(np.full(len(row), events.band), dtype=pl.Int64),
                "row": pl.Series(row, dtype=pl.Int64),
                "day": pl.Series(events.day[first:last], dtype=pl.Int64),
            }
        )
    return made
