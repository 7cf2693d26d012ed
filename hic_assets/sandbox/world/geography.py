"""Rwanda's administrative tree as DHIS2 organisation units: country, province, district, sub-district, sector.

Belongs here: levels 1 to 5 (real names and codes, shipped as CSV). Facilities (level 6) are in ``facilities``.
Source: domain facts 2.1 and 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import polars as pl

from hic_assets.sandbox.world.hashing import uid

LEVELS = ["Country", "Province", "District", "Sub district", "Sector", "Health facility"]
BORN = "1990-01-01"


@dataclass(frozen=True)
class OrgUnit:
    """One organisation unit above the facilities."""

    uid: str
    code: str
    name: str
    level: int
    path: str
    parent: str | None
    opening_date: str = BORN


def read_csv(name: str) -> pl.DataFrame:
    """A CSV of the package, every column as text."""
    text = resources.files("hic_assets.sandbox.world").joinpath("data", name).read_bytes()
    return pl.read_csv(text, infer_schema=False)


@cache
def districts() -> pl.DataFrame:
    """The 30 districts: code, name, province, population_2022, health_centres, latitude, longitude."""
    return read_csv("districts.csv").with_columns(
        pl.col("population_2022", "health_centres").cast(pl.Int64),
        pl.col("latitude", "longitude").cast(pl.Float64),
    )


@cache
def hospitals() -> pl.DataFrame:
    """Real hospitals, one line each: district, fosa, name, type, ownership; the first of a district leads it."""
    return read_csv("hospitals.csv")


COUNTRY = OrgUnit(uid("orgUnit", "RW"), "RW", "Rwanda", 1, "/" + uid("orgUnit", "RW"), None)


def _child(parent: OrgUnit, level: int, code: str, name: str) -> OrgUnit:
    own = uid("orgUnit", level, code)
    return OrgUnit(own, code, name, level, f"{parent.path}/{own}", parent.uid)


@cache
def tree() -> tuple[OrgUnit, ...]:
    """Levels 1 to 5, parents before children. Sectors are dealt to the hospital catchments (level 4) in order."""
    units = [COUNTRY]
    provinces = {
        row["code"]: _child(COUNTRY, 2, "0" + row["code"], row["name"])
        for row in read_csv("provinces.csv").iter_rows(named=True)
    }
    units += provinces.values()
    sectors = read_csv("sectors.csv").partition_by("district", as_dict=True)
    catchments = hospitals().partition_by("district", as_dict=True)
    for row in districts().iter_rows(named=True):
        district = _child(provinces[row["province"]], 3, "0" + row["code"], f"{row['name']} District")
        units.append(district)
        subs = [
            _child(district, 4, f"SD{h['fosa']}", f"{h['name']} Sub District")
            for h in catchments[(row["code"],)].iter_rows(named=True)
            if h["type"] != "NRH"
        ]
        units += subs
        own = sectors[(row["code"],)]
        for position, sector in enumerate(own.iter_rows(named=True)):
            sub = subs[position * len(subs) // own.height]
            units.append(_child(sub, 5, "0" + sector["code"], f"{sector['name']} Sector"))
    return tuple(units)


@cache
def sectors_of(district: str) -> tuple[OrgUnit, ...]:
    """The sectors (level 5) of a district given its three-digit code."""
    return tuple(u for u in tree() if u.level == 5 and u.code[1:4] == district)


@cache
def by_uid() -> dict[str, OrgUnit]:
    """Levels 1 to 5 by uid."""
    return {u.uid: u for u in tree()}
