"""Where things happen: the facilities that deliver, treat and vaccinate, as columns, and the sectors around them.

Belongs here: choosing a unit for a person or an event. Closed facilities and those of later years are left out, and
so is whatever is opened or moved after the trackers were built. Source: domain trap 21.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from hic_assets.sandbox.world import geography
from hic_assets.sandbox.world.facilities import TYPES, Facility
from hic_assets.sandbox.world.hashing import F64, U64, salted, uniform
from hic_assets.sandbox.world.trackers.packing import I64, Answer

Place = I64


@dataclass(frozen=True)
class Places:
    """Units by position: facilities first, then the sectors. A home is the position of a health centre."""

    units: pl.Series
    users: pl.Series
    fosa: pl.Series
    longitude: F64
    latitude: F64
    centres: I64
    weights: F64
    kigali: npt.NDArray[np.bool_]
    hospital: I64
    """By facility: the hospital of its district."""
    sector: I64
    """By facility: the unit of the sector it stands in."""
    province: I64
    names: dict[str, pl.Series]
    """By unit: district and sector as words."""

    def homes(self, hashes: U64, kigali: float = 1.0) -> Place:
        """A health centre for every hash, by catchment; ``kigali`` multiplies the capital's share."""
        weights = self.weights * np.where(self.kigali[self.centres], kigali, 1.0)
        edges = np.cumsum(weights) / weights.sum()
        found = np.searchsorted(edges, uniform(salted(hashes, "home")), side="right")
        result: Place = self.centres[np.minimum(found, len(self.centres) - 1)]
        return result

    def treated_at(self, home: Place, hashes: U64, hospital: float) -> Place:
        """The health centre at home, or with this share the hospital of the district."""
        away = uniform(salted(hashes, "hospital")) < hospital
        return np.where(away, self.hospital[home], home)

    def word(self, what: str, place: Place) -> Answer:
        """``district`` or ``sector`` of these places in words."""
        return Answer(self.names[what], place.astype(np.int32))

    def fosa_of(self, place: Place) -> Answer:
        """The FOSA code of these facilities as the registry has it; missing where it has none."""
        answer = Answer(self.fosa, place.astype(np.int32))
        return answer.where(~self.fosa.is_null().to_numpy()[place])


def places(facilities: list[Facility], opened_by: str) -> Places:
    """The places of a country; ``opened_by`` is the ISO day by which a facility must have opened."""
    sectors = [u for u in geography.tree() if u.level == 5]
    at = {u.uid: len(facilities) + i for i, u in enumerate(sectors)}
    good = [f.opening_date.isoformat() <= opened_by and f.closed_date is None for f in facilities]
    leading: dict[str, int] = {}
    for i, f in enumerate(facilities):
        if f.form == "hospital" and TYPES[f.type][2] <= TYPES[facilities[leading.get(f.district, i)].type][2]:
            leading.setdefault(f.district, i)
    centres = [i for i, f in enumerate(facilities) if f.form == "centre" and good[i]]
    district = {r["code"]: r for r in geography.districts().to_dicts()}
    codes = [f.district for f in facilities] + [u.code[1:4] for u in sectors]
    words = {
        "district": pl.Series([district[c]["name"] for c in codes]),
        "sector": pl.Series([geography.by_uid()[f.sector].name.removesuffix(" Sector") for f in facilities]
                            + [u.name.removesuffix(" Sector") for u in sectors]),
    }  # fmt: skip
    return Places(
        units=pl.Series([f.uid for f in facilities] + [u.uid for u in sectors], dtype=pl.String),
        users=pl.Series([f"tracker.{c}" for c in codes], dtype=pl.String),
        fosa=pl.Series([f.code for f in facilities] + [None] * len(sectors), dtype=pl.String),
        longitude=_numbers([f.longitude for f in facilities] + [None] * len(sectors)),
        latitude=_numbers([f.latitude for f in facilities] + [None] * len(sectors)),
        centres=np.array(centres, dtype=np.int64),
        weights=np.array([facilities[i].catchment for i in centres], dtype=np.float64),
        kigali=np.array([c.startswith("1") for c in codes]),
        hospital=np.array([leading[c] for c in codes], dtype=np.int64),
        sector=np.array([at[f.sector] for f in facilities] + list(at.values()), dtype=np.int64),
        province=np.array([int(c[0]) for c in codes], dtype=np.int64),
        names=words,
    )


def _numbers(values: list[float | None]) -> F64:
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
