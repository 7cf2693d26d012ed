"""Outbreaks put into the country on purpose: the truth by which alerts are judged.

Belongs here: which outbreaks there are, and how each is dealt over weeks. Does not belong here: the cases of a week
(``idsr_counts``), the rules that should find them (``hic_assets.alerts``). Some are named here; more are drawn from the
seed, so that there are enough of them to say how sensitive a rule is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np

from hic_assets.sandbox.world import geography
from hic_assets.sandbox.world.clinical.idsr_diseases import SEEN, Disease, by_code
from hic_assets.sandbox.world.facilities import CLASSES, build
from hic_assets.sandbox.world.hashing import F64, key, salted, uniform
from hic_assets.sandbox.world.roster import Roster, nominal_weight

WEEK = timedelta(days=7)
FIRST_YEAR, LAST_YEAR = 2017, 2030
A_YEAR = 10
"""Outbreaks drawn from the seed a year, at most: one that would run into another of its disease and district is left out."""
_LIABLE = (
    "BLOODY_DIARRHOEA",
    "DIARRHOEA",
    "ILI",
    "MALARIA_SIMPLE",
    "MEASLES",
    "MENINGITIS",
    "PNEUMONIA_SEVERE",
    "SARI",
    "TYPHOID",
)
WEEKS_A_YEAR = 365.25 / 7


@dataclass(frozen=True)
class Outbreak:
    """Cases beyond the usual: of a disease (code), in a district (three digits), from a Monday, for so many weeks.

    ``size``: how many, all ages together and on average; those of a week are drawn around its part (``curve``).
    """

    disease: str
    district: str
    first_week: date
    weeks: int
    size: int

    @property
    def end(self) -> date:
        """The Monday after its last week."""
        return self.first_week + self.weeks * WEEK

    def curve(self) -> F64:
        """The part of its size that falls into each week: a rise, then a longer decline; sums to 1."""
        t = (np.arange(self.weeks) + 0.7) / self.weeks
        shape: F64 = t**1.5 * np.exp(-3 * t)
        part: F64 = shape / shape.sum()
        return part


DECLARED: tuple[Outbreak, ...] = (
    Outbreak("CHOLERA", "306", date(2022, 11, 14), 6, 40),
    Outbreak("RVF", "506", date(2022, 4, 11), 8, 36),
    Outbreak("MEASLES", "503", date(2023, 2, 13), 9, 70),
    Outbreak("TYPHOID", "101", date(2023, 8, 7), 7, 60),
    Outbreak("MEASLES", "303", date(2024, 2, 5), 8, 55),
    Outbreak("MPOX", "306", date(2024, 7, 22), 12, 45),
    Outbreak("VHF", "102", date(2024, 9, 23), 8, 60),
    Outbreak("MENINGITIS", "502", date(2025, 1, 20), 5, 24),
    Outbreak("BLOODY_DIARRHOEA", "404", date(2025, 8, 18), 6, 60),
    Outbreak("FOODBORNE", "103", date(2026, 1, 5), 1, 34),
    Outbreak("CHOLERA", "303", date(2026, 5, 18), 5, 30),
    Outbreak("MEASLES", "507", date(2026, 7, 20), 8, 64),
    Outbreak("MALARIA_SIMPLE", "504", date(2026, 8, 3), 7, 900),
)
"""The named ones, the same in every country whatever its seed and scale. That of VHF is Marburg's of 2024."""


@cache
def heaviness(seed: int, scale: float) -> F64:
    """By group of forms: how many times more facilities (by weight) a country was built with than its scale says.

    A small one keeps a hospital and two health centres a district, so that it sees more than its scale's share.
    """
    roster = Roster.of(build(seed, scale))
    built = [roster.weight[roster.form == form].sum() for form in range(len(CLASSES))]
    nominal = [nominal_weight(form) * scale for form in CLASSES]
    result: F64 = np.array(built) / np.array(nominal)
    return result


def usual(disease: Disease, seed: int, scale: float) -> float:
    """Cases of a week in a district of the usual size."""
    seen = sum(share * heaviness(seed, scale)[CLASSES.index(form)] for form, share in SEEN[disease.seen].items())
    return disease.annual * scale * float(seen) / WEEKS_A_YEAR / geography.districts().height


@cache
def outbreaks(seed: int, scale: float) -> tuple[Outbreak, ...]:
    """Every outbreak of a country, named and drawn, by first week. Those drawn are sized by what is usual there."""
    made = list(DECLARED)
    districts = geography.districts()["code"].to_list()
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        for ordinal in range(A_YEAR):
            drawn = _drawn(seed, scale, year, ordinal, districts)
            if not any(_touches(drawn, other) for other in made):
                made.append(drawn)
    return tuple(sorted(made, key=lambda o: (o.first_week, o.disease, o.district)))


def _drawn(seed: int, scale: float, year: int, ordinal: int, districts: Sequence[str]) -> Outbreak:
    h = np.array([key(seed, "outbreak", year, ordinal)], dtype=np.uint64)
    what, where, when, long, large = (
        float(uniform(salted(h, s))[0]) for s in ("what", "where", "when", "long", "large")
    )
    disease = by_code()[_LIABLE[int(what * len(_LIABLE))]]
    weeks = 3 + int(long * 8)
    # from barely to clearly above what is usual in its weeks, and never less than one case a week
    size = round(weeks * max(1.0, (0.5 + 4.5 * large) * (1.3 * usual(disease, seed, scale)) ** 0.5))
    first = date.fromisocalendar(year, 1 + int(when * 52), 1)
    return Outbreak(disease.code, districts[int(where * len(districts))], first, weeks, size)


def _touches(one: Outbreak, other: Outbreak) -> bool:
    """Whether two of the same disease and district run into each other, or nearly."""
    same = (one.disease, one.district) == (other.disease, other.district)
    return same and one.first_week < other.end + 4 * WEEK and other.first_week < one.end + 4 * WEEK
