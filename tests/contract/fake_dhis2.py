"""A toy DHIS2 behind the stub: a tree of units and values, to be asked by the real client."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stub_http import Answer, Asked, Stub, as_csv, as_json

HEADER = (
    "dataelement,period,orgunit,categoryoptioncombo,attributeoptioncombo,value,storedby,lastupdated,"
    "comment,followup,deleted"
)
# id: parent. Country, provinces, districts, facilities.
TREE = {
    "rw": None,
    "p1": "rw",
    "p2": "rw",
    "d1": "p1",
    "d2": "p1",
    "d3": "p2",
    "f1": "d1",
    "f2": "d1",
    "f3": "d1",
    "f4": "d2",
    "f5": "d3",
}


def level(unit: str) -> int:
    parent = TREE[unit]
    return 1 if parent is None else level(parent) + 1


def under(unit: str, root: str) -> bool:
    parent = TREE[unit]
    return unit == root or (parent is not None and under(parent, root))


@dataclass
class Toy:
    """Values: (data set, period, unit, value, last updated, deleted). `refuse` may answer in place of data."""

    version: str = "2.40.1"
    info: dict[str, Any] = field(default_factory=dict)
    values: list[tuple[str, str, str, str, str, bool]] = field(default_factory=list)
    refuse: Callable[[Asked], Answer | None] = lambda _: None

    def on(self, stub: Stub) -> Toy:
        stub.answer = self.answer
        return self

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/api/system/info":
            base = {"version": self.version, "calendar": "iso8601", "systemId": "sys-1"}
            return as_json(base | {"serverTimeZoneId": "Africa/Kigali"} | self.info)
        refused = self.refuse(asked)
        if refused is not None:
            return refused
        if asked.path == "/api/organisationUnits":
            limit = int((asked.one("filter") or "level:le:9").split(":")[2])
            return as_json({"organisationUnits": [unit(u) for u in TREE if level(u) <= limit]})
        if asked.path.startswith("/api/organisationUnits/"):
            parent = asked.path.rsplit("/", 1)[1]
            return as_json({"children": [unit(u) for u in TREE if TREE[u] == parent]})
        if asked.path == "/api/dataValueSets":
            return self.data_values(asked)
        return Answer(status=404)

    def chosen(self, asked: Asked) -> list[tuple[str, str, str, str, str, bool]]:
        roots, sets, periods = asked.all("orgUnit"), asked.all("dataSet"), asked.all("period")
        whole = asked.one("children") == "true"
        return [
            value
            for value in self.values
            if value[0] in sets
            and (not periods or value[1] in periods)
            and any(under(value[2], root) if whole else value[2] == root for root in roots)
        ]

    def data_values(self, asked: Asked) -> Answer:
        if asked.one("format") == "csv":
            lines = [
                f"{s}-de,{p},{u},coc,aoc,{v},etl,{at},,false,{'true' if gone else 'null'}"
                for s, p, u, v, at, gone in self.chosen(asked)
            ]
            return as_csv("\n".join([HEADER, *lines]) + "\n")
        return as_json({"dataValues": [row(v) for v in self.chosen(asked)]})


def unit(id_: str) -> dict[str, Any]:
    return {"id": id_, "name": id_.upper(), "level": level(id_)}


def row(value: tuple[str, str, str, str, str, bool]) -> dict[str, Any]:
    data_set, period, org_unit, text, at, gone = value
    found: dict[str, Any] = {
        "dataElement": f"{data_set}-de",
        "period": period,
        "orgUnit": org_unit,
        "categoryOptionCombo": "coc",
        "attributeOptionCombo": "aoc",
        "value": text,
        "storedBy": "etl",
        "created": at,
        "lastUpdated": at,
        "comment": None,
        "followup": False,
    }
    return found | ({"deleted": True} if gone else {})


def everywhere(*data_sets: str, period: str = "202401") -> list[tuple[str, str, str, str, str, bool]]:
    """One value a unit and data set; that of f4 deleted."""
    at = "2024-02-01T10:00:00.000+0000"
    return [(s, period, u, str(n), at, u == "f4") for s in data_sets for n, u in enumerate(TREE)]


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()
