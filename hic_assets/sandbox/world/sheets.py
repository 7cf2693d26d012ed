"""The forms as columns: one entry per cell (data element x option combo) that a group of facilities fills.

Belongs here: expected volumes, seasons, trends and geography per cell. The numbers themselves are in ``values``.
Source: domain traps 18, 19, 22 and section 2.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt

from hic_assets.sandbox.world import catalogue
from hic_assets.sandbox.world.hashing import F64, key, normal
from hic_assets.sandbox.world.roster import I64, Roster, nominal_weight

SEASONS: dict[str, list[float]] = {
    "none": [1.0] * 12,
    "malaria": [1.15, 0.85, 0.75, 0.8, 1.2, 1.4, 1.05, 0.75, 0.7, 0.85, 1.15, 1.35],
    "births": [0.98, 0.95, 1.02, 1.04, 1.1, 1.04, 1.0, 0.97, 0.98, 0.97, 0.97, 0.98],
    "births_lead": [1.03, 1.02, 1.01, 1.0, 1.0, 0.98, 0.99, 0.99, 1.0, 1.02, 1.0, 0.96],
    "diarrhoea": [0.9, 0.85, 0.85, 0.85, 0.9, 1.1, 1.3, 1.35, 1.2, 1.0, 0.9, 0.8],
    "cold": [0.9, 0.95, 1.1, 1.15, 1.15, 1.05, 0.85, 0.8, 0.9, 1.1, 1.1, 0.95],
    "vita": [0.1, 0.1, 0.1, 0.1, 5.5, 0.1, 0.1, 0.1, 0.1, 0.1, 5.5, 0.1],
    "hpv": [0.2, 0.2, 0.2, 5.0, 0.2, 0.2, 0.2, 0.2, 0.2, 5.0, 0.2, 0.2],
    "school": [0.8, 0.7, 0.8, 1.1, 0.7, 0.7, 1.7, 1.7, 0.7, 0.7, 0.8, 1.6],
}
MALARIA_YEARS = {2019: 1.9, 2020: 1.7, 2021: 1.2, 2022: 0.8, 2023: 0.8, 2024: 1.35, 2025: 1.25, 2026: 1.05}
LOW_MALARIA = {"203", "205", "301", "302", "304", "305", "307", "401", "402", "403", "404"}
POSITIVE_SHARE = {"ANC_SYPH": 0.008, "LAB_RDT": 0.33, "LAB_SMEAR": 0.1, "LAB_SPUTUM": 0.04, "LAB_RPR": 0.015}
SECTIONS = list(dict.fromkeys(e.section for e in catalogue.data_elements()))
CHAINS = list(dict.fromkeys(e.chain for e in catalogue.data_elements()))
_GEO_TAGS = ["even", "MALARIA", "HIV", "TB"]


@dataclass(frozen=True)
class Sheet:
    """The cells one group of facilities fills; every array has one entry a cell."""

    elements: I64
    combos: list[str]
    kinds: npt.NDArray[np.object_]
    expected: F64
    seasons: F64
    chain: I64
    coupling: npt.NDArray[np.uint64]
    keys: npt.NDArray[np.uint64]
    section: I64
    data_set: I64
    geo: I64
    malaria: npt.NDArray[np.bool_]
    stock: npt.NDArray[np.bool_]
    position: dict[tuple[str, str], int]

    def take(self, index: I64) -> Sheet:
        """The cells at these positions."""
        kept = {n: v[index] for n, v in self.__dict__.items() if isinstance(v, np.ndarray) and n != "seasons"}
        place = {int(old): new for new, old in enumerate(index)}
        position = {k: place[v] for k, v in self.position.items() if v in place}
        combos = [self.combos[i] for i in index]
        return Sheet(seasons=self.seasons[:, index], combos=combos, position=position, **kept)


def _shares(element: catalogue.DataElement) -> F64:
    """Shares of the option combos: the category's, tilted per chain, summing to 1."""
    combos = catalogue.option_combos(element.combo)
    if element.code in POSITIVE_SHARE:
        positive = POSITIVE_SHARE[element.code]
        return np.array([positive, 1 - positive])
    h = np.array([key("tilt", element.chain, c.code) for c in combos], dtype=np.uint64)
    shares = np.array([c.share for c in combos]) * np.exp(0.25 * normal(h))
    result: F64 = shares / shares.sum()
    return result


@cache
def sheet(form: str) -> Sheet:
    """The sheet of a group of facilities."""
    cells = []
    for index, element in enumerate(catalogue.data_elements()):
        owner = element.owner(form)
        if owner not in catalogue.MONTHLY:
            continue
        monthly = element.annual / 12 * catalogue.PROFILES[element.profile][form] / nominal_weight(form)
        for combo, share in zip(catalogue.option_combos(element.combo), _shares(element), strict=True):
            cells.append((index, element, combo, monthly * float(share), catalogue.MONTHLY.index(owner)))
    elements = [c[1] for c in cells]
    return Sheet(
        elements=np.array([c[0] for c in cells]),
        combos=[c[2].uid for c in cells],
        kinds=np.array([e.kind for e in elements], dtype=object),
        expected=np.array([c[3] for c in cells]),
        seasons=np.array([SEASONS[e.season] for e in elements]).T.copy(),
        chain=np.array([CHAINS.index(e.chain) for e in elements]),
        coupling=np.array([key("couple", c[1].chain, c[2].code) for c in cells], dtype=np.uint64),
        keys=np.array([key("cell", c[1].code, c[2].code) for c in cells], dtype=np.uint64),
        section=np.array([SECTIONS.index(e.section) for e in elements]),
        data_set=np.array([c[4] for c in cells]),
        geo=np.array([_GEO_TAGS.index(e.section) if e.section in _GEO_TAGS else 0 for e in elements]),
        malaria=np.array([e.season == "malaria" for e in elements]),
        stock=np.array([e.kind == "stock" for e in elements]),
        position={(c[1].code, c[2].code): i for i, c in enumerate(cells)},
    )


def geography_factors(roster: Roster) -> F64:
    """How much more or less of each geo tag a facility sees, shape (facilities, tags)."""
    low = np.array([d in LOW_MALARIA for d in roster.district])
    return np.stack(
        [
            np.ones(len(roster)),
            np.where(low, 0.32, 1.35),
            np.where(roster.kigali, 1.9, 0.87),
            np.where(roster.kigali, 2.0, 0.85),
        ],
        axis=1,
    )


def month_factors(cells: Sheet, month: date) -> F64:
    """Season, population growth and malaria year per cell."""
    growth = 1.023 ** (month.year - 2024 + (month.month - 6) / 12)
    malaria = MALARIA_YEARS.get(month.year, 1.0)
    result: F64 = cells.seasons[month.month - 1] * growth * np.where(cells.malaria, malaria, 1.0)
    return result


def outbreak_factors(roster: Roster, month: date) -> F64:
    """Marburg, September to December 2024: people stayed away, most of all in Kigali."""
    if date(2024, 9, 1) <= month <= date(2024, 12, 1):
        return np.where(roster.kigali, 0.8, 0.94)
    return np.ones(len(roster))
