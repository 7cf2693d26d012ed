"""The facility list of Rwanda (2009) as a DHIS2 server would give it: the tree, the groups, the codes as exported.

The list has provinces, districts, sectors and facilities. Made up here: uids, one sub-district a district (the list has
none), the root, and the day the facilities opened. Nothing of the list is corrected: a code keeps the zeros it lost,
a facility without a sector hangs on its sub-district, so that DHIS2, where level is depth, puts it a level higher.
"""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from pathlib import Path
from typing import Any

Item = dict[str, Any]
TYPES = {
    "CS": "Centre de Sante",
    "HD": "Hopital de District",
    "PS": "Poste de Sante",
    "DISP": "Dispensaire",
    "PRIS": "Prison (via CS)",
    "HNR": "Hopital National de Reference",
    "HM": "Hopital Militaire ou de Police",
    "CLIN": "Clinique",
}


def uid(kind: str, key: str) -> str:
    """Eleven characters, the first a letter, the same every time."""
    return "u" + hashlib.sha256(f"{kind} {key}".encode()).hexdigest()[:10]


def facilities(real_dir: Path) -> list[dict[str, str]]:
    """The rows of the list, every cell text as it stands."""
    with (real_dir / "rwanda" / "fosa_table.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def organisation_units(rows: list[dict[str, str]]) -> list[Item]:
    """Country, 5 provinces, 30 districts and sub-districts, sectors as named, and the facilities."""
    root = uid("country", "RW")
    country: Item = {"id": root, "name": "Rwanda", "level": 1, "path": f"/{root}"}
    units: dict[str, Item] = {root: country}

    def under(parent: Item, kind: str, key: str, name: str, code: str | None, **more: Any) -> Item:
        own = uid(kind, key)
        made: Item = {"id": own, "name": name, "shortName": name[:50], "parent": {"id": parent["id"]}}
        made |= {"path": f"{parent['path']}/{own}", "level": parent["level"] + 1} | more
        return units.setdefault(own, made | ({"code": code} if code else {}))

    for row in rows:
        place = under(country, "province", row["ProvinceCode"], row["ProvinceName"], row["ProvinceCode"])
        place = under(place, "district", row["DistrictCode"], row["DistrictName"], row["DistrictCode"])
        place = under(place, "sub_district", row["DistrictCode"], f"{row['DistrictName']} sub-district", None)
        if row["SectorCode"]:
            # One facility (109) names a sector of another district: the district holds, as in the list's own columns.
            key = f"{row['DistrictCode']} {row['SectorCode']}"
            place = under(place, "sector", key, row["SectorName"], row["SectorCode"])
        more: Item = {"openingDate": "2009-01-01T00:00:00.000"}
        if row["LatitudeDecimal"]:
            point = [float(row["LongitudeDecimal"]), float(row["LatitudeDecimal"])]
            more["geometry"] = {"type": "Point", "coordinates": point}
        under(place, "facility", row["FOSAID"], row["FOSAName"], row["FOSAID"], **more)
    return list(units.values())


def groups(rows: list[dict[str, str]]) -> list[Item]:
    """A group a type (its code the list's abbreviation) and a group an ownership (named as the list writes it)."""
    members: dict[tuple[str, str, str | None], list[Item]] = defaultdict(list)
    for row in rows:
        facility, kind, owner = (
            {"id": uid("facility", row["FOSAID"])},
            row["TypeFOSAabbreviation"],
            row["PrivatePublic"],
        )
        members["Facility type", TYPES[kind], kind].append(facility)
        if owner:
            members["Ownership", owner, None].append(facility)
    return [
        {
            "id": uid("group", name),
            "name": name,
            "groupSets": [{"id": uid("set", group_set), "name": group_set}],
            "organisationUnits": units,
        }
        | ({"code": code} if code else {})
        for (group_set, name, code), units in members.items()
    ]
