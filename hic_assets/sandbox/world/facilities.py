"""Health facilities (organisation units of level 6), synthesised by the real mix of types.

Belongs here: who exists, where, of which type and owner, since when. Nothing about what they report.
Source: domain facts 2.2 (types, FOSA codes and their defects), traps 1, 13, 21.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from hic_assets.sandbox.world import geography
from hic_assets.sandbox.world.hashing import key, mix, normal, salted, uid, uniform
from hic_assets.sandbox.world.memo import Memo

# type -> (facilities at scale 1, group of forms, weight within that group)
TYPES: dict[str, tuple[int, str, float]] = {
    "NRH": (5, "hospital", 2.5),
    "PH": (7, "hospital", 1.4),
    "DH": (38, "hospital", 1.0),
    "MC": (9, "centre", 1.6),
    "HC": (513, "centre", 1.0),
    "HP": (460, "post", 1.0),
    "PRISON": (13, "post", 0.7),
    "PRIV_HOSP": (8, "private", 8.0),
    "POLYCLINIC": (20, "private", 3.0),
    "CLINIC": (148, "private", 1.0),
    "DISP": (60, "private", 0.8),
}
TYPE_NAMES = {
    "NRH": "National referral hospital",
    "PH": "Provincial hospital",
    "DH": "District hospital",
    "MC": "Medicalised health centre",
    "HC": "Health centre",
    "HP": "Health post",
    "PRISON": "Prison clinic",
    "PRIV_HOSP": "Private hospital",
    "POLYCLINIC": "Polyclinic",
    "CLINIC": "Private clinic",
    "DISP": "Dispensary",
}
OWNERS = {
    "PUBLIC": "Public",
    "AGREE": "Faith-based (agréé)",
    "PRIVATE": "Private",
    "COMMUNITY": "Community",
    "PARASTATAL": "Parastatal",
}
CLASSES = ["hospital", "centre", "post", "private"]
_ROOTS = ["bona", "gabo", "kira", "munga", "hanga", "vumu", "reba", "tare", "sozi", "kinga", "zinga", "rama"]
_PREFIXES = ["Ru", "Ka", "Gi", "Nya", "Ki", "Mu", "Bu", "Ga", "Ma", "Rwi"]


@dataclass
class Facility:
    """One facility. ``district`` is where it was born (values depend on it); ``sector`` is where DHIS2 has it."""

    uid: str
    code: str | None
    name: str
    type: str
    ownership: str
    district: str
    sector: str
    opening_date: date
    closed_date: date | None = None
    longitude: float | None = None
    latitude: float | None = None
    weight: float = 1.0
    catchment: int = 0
    listed: bool = True
    typed: bool = True
    key: int = 0

    @property
    def form(self) -> str:
        """The group of forms it fills: hospital, centre, post or private."""
        return TYPES[self.type][1]


def spread(total: int, weights: list[float], minimum: int = 0) -> list[int]:
    """Deal ``total`` items by weight (largest remainder), at least ``minimum`` each."""
    exact = np.array(weights) / sum(weights) * total
    whole = np.maximum(np.floor(exact).astype(int), minimum)
    order = np.argsort(-(exact - np.floor(exact)), kind="stable")
    for index in order:
        if whole.sum() >= total:
            break
        whole[index] += 1
    return [int(n) for n in whole]


_BUILT: Memo[list[Facility]] = Memo(most=5_000, size=len)


def build(seed: int, scale: float) -> list[Facility]:
    """Every facility of the country, district by district; at scale 1 there are 1,281. The caller's own to change."""
    return [copy(facility) for facility in _BUILT.get((seed, scale), lambda: _build(seed, scale))]


def _build(seed: int, scale: float) -> list[Facility]:
    rows = geography.districts().to_dicts()
    found: list[Facility] = []
    counts = {"HC": spread(round(513 * scale), [r["health_centres"] for r in rows], minimum=2)}
    for kind in ("MC", "HP", "PRISON", "PRIV_HOSP", "POLYCLINIC", "CLINIC", "DISP"):
        urban = [3.0 if r["province"] == "1" and TYPES[kind][1] == "private" else 1.0 for r in rows]
        people = [r["population_2022"] * u for r, u in zip(rows, urban, strict=True)]
        counts[kind] = spread(round(TYPES[kind][0] * scale), people)
    for position, row in enumerate(rows):
        found += _hospitals(seed, row["code"], scale)
        centre_share = row["population_2022"] / (row["health_centres"] * 513 / 415)
        for kind, dealt in counts.items():
            for ordinal in range(dealt[position]):
                found.append(_one(seed, row, kind, ordinal, centre_share))
    _give_codes(found)
    _dirty(seed, found)
    return found


def _hospitals(seed: int, district: str, scale: float) -> list[Facility]:
    rows = geography.hospitals().filter(district=district).to_dicts()
    wanted = max(1, round(len(rows) * scale))
    sectors = geography.sectors_of(district)
    found = []
    for ordinal in range(wanted):
        row = rows[ordinal % len(rows)]
        turn = ordinal // len(rows)
        name = row["name"] + (f" {turn + 1}" if turn else "") + (" DH" if row["type"] == "DH" else "")
        leads = [u for u in sectors if f"/{uid('orgUnit', 4, 'SD' + row['fosa'])}/" in u.path] or list(sectors)
        found.append(
            Facility(
                uid=uid(seed, "facility", district, "hospital", ordinal),
                code=row["fosa"] if turn == 0 else None,
                name=name,
                type=row["type"],
                ownership=row["ownership"],
                district=district,
                sector=leads[turn % len(leads)].uid,
                opening_date=date(1990, 1, 1),
            )
        )
    return found


def _one(seed: int, row: dict[str, object], kind: str, ordinal: int, centre_share: float) -> Facility:
    district = str(row["code"])
    h = mix(np.array([key(seed, "facility", district, kind, ordinal)], dtype=np.uint64))
    sectors = geography.sectors_of(district)
    sector = sectors[ordinal % len(sectors)] if kind == "HC" else sectors[int(h[0] % np.uint64(len(sectors)))]
    size = float(np.exp(0.35 * normal(salted(h, "size"))[0] - 0.06))
    return Facility(
        uid=uid(seed, "facility", district, kind, ordinal),
        code=None,
        name=_name(h, kind, ordinal, sector.name.removesuffix(" Sector"), len(sectors)),
        type=kind,
        ownership=_owner(h, kind),
        district=district,
        sector=sector.uid,
        opening_date=_opening(h, kind),
        closed_date=_closing(h, kind),
        weight=size,
        catchment=round(centre_share * size) if kind in ("HC", "MC") else 0,
    )


def _name(h: np.ndarray, kind: str, ordinal: int, sector: str, sectors: int) -> str:  # type: ignore[type-arg]
    if kind == "PRISON":
        return f"{sector} Prison"
    n = int(salted(h, "name")[0])
    place = sector
    if kind not in ("HC", "MC") or ordinal >= sectors:
        place = _PREFIXES[n % len(_PREFIXES)] + _ROOTS[n // 16 % len(_ROOTS)]
    suffix = {"PRIV_HOSP": "Private Hospital", "POLYCLINIC": "Polyclinic", "CLINIC": "Clinic", "DISP": "Dispensary"}
    return f"{place} {suffix.get(kind, kind)}"


def _owner(h: np.ndarray, kind: str) -> str:  # type: ignore[type-arg]
    u = float(uniform(salted(h, "owner"))[0])
    if TYPES[kind][1] == "private":
        return "PRIVATE" if u < 0.93 else "PARASTATAL"
    if kind in ("HC", "MC"):
        return "PUBLIC" if u < 0.66 else "AGREE" if u < 0.98 else "COMMUNITY"
    if kind == "HP":
        return "PUBLIC" if u < 0.7 else "COMMUNITY" if u < 0.8 else "PRIVATE"
    return "PUBLIC"


def _opening(h: np.ndarray, kind: str) -> date:  # type: ignore[type-arg]
    """Most facilities are older than the system; posts and private ones kept opening until 2026."""
    u, day = uniform(salted(h, "opened"))[0], int(salted(h, "openday")[0] % np.uint64(2400))
    recent = 0.35 if kind in ("HP", "CLINIC", "POLYCLINIC") else 0.03
    return date(2020, 1, 1) + timedelta(days=day) if u < recent else date(1990, 1, 1)


def _closing(h: np.ndarray, kind: str) -> date | None:  # type: ignore[type-arg]
    if kind not in ("HP", "CLINIC", "DISP") or uniform(salted(h, "closed"))[0] >= 0.04:
        return None
    opened = _opening(h, kind)
    closed = date(2023, 1, 31) + timedelta(days=int(salted(h, "closeday")[0] % np.uint64(1200)))
    return closed if closed > opened + timedelta(days=90) else None


def _give_codes(found: list[Facility]) -> None:
    taken = {f.code for f in found if f.code}
    number = 1
    for facility in found:
        if facility.code is None:
            while f"{number:04d}" in taken or number in (601, 602, 603, 604):
                number += 1
            facility.code = f"{number:04d}"
            number += 1


def _dirty(seed: int, found: list[Facility]) -> None:
    """Registry defects: lost zeros, missing and doubled codes, missing and shared coordinates, no type group."""
    centre = {r["code"]: (r["longitude"], r["latitude"]) for r in geography.districts().to_dicts()}
    h = np.array([key(seed, "dirt", f.uid) for f in found], dtype=np.uint64)
    code_u, place_u, type_u = (uniform(salted(h, s)) for s in ("code", "place", "type"))
    east, north = normal(salted(h, "east")) * 0.06, normal(salted(h, "north")) * 0.06
    for i, facility in enumerate(found):
        facility.key = int(key(seed, "values", facility.uid))
        facility.typed = bool(type_u[i] >= 0.006 or facility.form == "hospital")
        if facility.code and facility.form != "hospital":
            if code_u[i] < 0.02:
                facility.code = facility.code.lstrip("0")
            elif code_u[i] < 0.025:
                facility.code = None
            elif code_u[i] < 0.028 and i:
                facility.code = found[i - 1].code
        lon, lat = centre[facility.district]
        if place_u[i] >= 0.16:
            facility.longitude, facility.latitude = round(lon + east[i], 5), round(lat + north[i], 5)
        if 0.16 <= place_u[i] < 0.17 and i and found[i - 1].longitude is not None:
            facility.longitude, facility.latitude = found[i - 1].longitude, found[i - 1].latitude
