"""The true weekly counts and outbreaks as alert rules are judged by them (``hic_assets.alerts.evaluate``).

Belongs here: from the truth to series. Does not belong here: the truth itself (``idsr_counts``, ``idsr_outbreaks``), the
rules. Nothing of it is ever served.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from hic_assets.alerts.evaluate import Outbreak as InSeries
from hic_assets.sandbox.world import geography
from hic_assets.sandbox.world.clinical.idsr_counts import Country, week_counts
from hic_assets.sandbox.world.clinical.idsr_diseases import DISEASES
from hic_assets.sandbox.world.clinical.idsr_outbreaks import Outbreak
from hic_assets.sandbox.world.roster import I64, Roster


def series() -> list[tuple[str, str]]:
    """(disease code, three-digit district) in the order of ``district_counts``."""
    return [(d.code, district) for d in DISEASES for district in geography.districts()["code"].to_list()]


def district_counts(roster: Roster, first_week: date, weeks: int, country: Country) -> I64:
    """True cases of all ages, shape (``series``, weeks), for so many weeks from a Monday on.

    ``roster``: of the whole country. Events of ``Life`` (maternal and perinatal deaths) are counted by their rates.
    """
    districts = geography.districts()["code"].to_list()
    member = np.stack([roster.district == d for d in districts]).astype(np.int64)
    columns = []
    for number in range(weeks):
        cases = week_counts(roster, first_week + timedelta(days=7 * number), country).cases.sum(axis=2)
        columns.append((member @ cases).T.reshape(-1))
    return np.stack(columns, axis=1)


def in_series(found: Sequence[Outbreak], first_week: date, weeks: int) -> list[InSeries]:
    """The outbreaks that lie wholly inside such series, by position."""
    place = {pair: i for i, pair in enumerate(series())}
    made = []
    for outbreak in found:
        start = (outbreak.first_week - first_week).days // 7
        if start >= 0 and start + outbreak.weeks <= weeks:
            made.append(InSeries(place[outbreak.disease, outbreak.district], start, outbreak.weeks))
    return made
