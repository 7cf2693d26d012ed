"""A toy tracker behind the stub: records in the tree of `fake_dhis2`, served as each version of DHIS2 serves them.

Like DHIS2 it ignores parameters it does not know, and so answers wrong names with another population.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from fake_dhis2 import TREE, level, under, unit
from stub_http import Answer, Asked, Stub, as_json

Record = dict[str, Any]
PROGRAM = "HivPrgRw001"
MONDAY = date(2025, 3, 3)
WEEK = (MONDAY, MONDAY + timedelta(days=7))
NAMES = {"trackedEntities": "trackedEntity", "enrollments": "enrollment", "events": "event"}
LEGACY = {"trackedEntityInstances": "trackedEntities", "enrollments": "enrollments", "events": "events"}
OLD_NAMES = {
    "trackedEntity": "trackedEntityInstance",
    "createdAt": "created",
    "updatedAt": "lastUpdated",
    "enrolledAt": "enrollmentDate",
    "completedAt": "completedDate",
    "scheduledAt": "dueDate",
    "followUp": "followup",
}
UPDATED = "2025-03-09T10:15:30.123"


def midnight(day: date) -> str:
    return f"{day}T00:00:00.000"


def event(n: int, at: str, day: date | None = MONDAY, **more: Any) -> Record:
    found: Record = {
        "event": f"ev{n:09d}",
        "program": PROGRAM,
        "programStage": "HivStg00001",
        "enrollment": f"en{n:09d}",
        "trackedEntity": f"te{n:09d}",
        "orgUnit": at,
        "status": "COMPLETED",
        "occurredAt": midnight(day) if day else None,
        "scheduledAt": midnight(day or MONDAY),
        "createdAt": f"2025-03-09T08:00:00.{n % 1000:03d}",
        "updatedAt": UPDATED,
        "deleted": False,
        "followUp": False,
        "storedBy": "nurse",
        "attributeOptionCombo": "HllvX50cXC0",
        "dataValues": [{"dataElement": "zzzzzzzzzzz", "value": str(n)}, {"dataElement": "aaaaaaaaaaa", "value": "né"}],
    }
    return found | more


def enrollment(n: int, at: str, day: date = MONDAY, **more: Any) -> Record:
    found: Record = {
        "enrollment": f"en{n:09d}",
        "trackedEntity": f"te{n:09d}",
        "program": PROGRAM,
        "orgUnit": at,
        "status": "ACTIVE",
        "enrolledAt": midnight(day),
        "occurredAt": midnight(day),
        "createdAt": "2025-03-09T08:00:00.000",
        "updatedAt": UPDATED,
        "deleted": False,
        "followUp": False,
    }
    return found | more


def entity(n: int, at: str, *days: date, **more: Any) -> Record:
    """A tracked entity, enrolled on these days."""
    found: Record = {
        "trackedEntity": f"te{n:09d}",
        "trackedEntityType": "Person00001",
        "orgUnit": at,
        "inactive": False,
        "createdAt": "2025-03-09T08:00:00.000",
        "updatedAt": UPDATED,
        "deleted": False,
        "attributes": [{"attribute": "NameAttr001", "value": f"Uwase {n}"}],
        "enrollments": [{"program": PROGRAM, "enrolledAt": midnight(day), "deleted": False} for day in days],
    }
    return found | more


@dataclass
class Tracker:
    """`records` by collection. `refuse` may answer in place of data, `spoil` change what a page holds."""

    version: str = "2.42.5.2"
    records: dict[str, list[Record]] = field(default_factory=dict)
    refuse: Callable[[Asked], Answer | None] = lambda _: None
    spoil: Callable[[Asked, Record], Record] = lambda _, body: body
    server_date: str = "2025-03-10T06:00:00.000"
    zone: str = "Africa/Kigali"
    system_id: str = "sys-1"
    seconds: float = 0.0
    """How long each page takes."""
    at_once: int = 0
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    @property
    def minor(self) -> int:
        return int(self.version.split(".")[1])

    def on(self, stub: Stub) -> Tracker:
        stub.answer = self.answer
        return self

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/api/system/info":
            about = {"version": self.version, "calendar": "iso8601", "systemId": self.system_id}
            return as_json(about | {"serverTimeZoneId": self.zone, "serverDate": self.server_date})
        refused = self.refuse(asked)
        if refused is not None:
            return refused
        if asked.path == "/api/organisationUnits":
            limit = int((asked.one("filter") or "level:le:9").split(":")[2])
            return as_json({"organisationUnits": [unit(u) for u in TREE if level(u) <= limit]})
        if asked.path.startswith("/api/organisationUnits/"):
            parent = asked.path.rsplit("/", 1)[1]
            return as_json({"children": [unit(u) for u in TREE if TREE[u] == parent]})
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            time.sleep(self.seconds)
            return self.page(asked)
        finally:
            with self._lock:
                self.at_once -= 1

    def page(self, asked: Asked) -> Answer:
        *folder, name = asked.path.removeprefix("/api/").split("/")
        if folder == ["tracker"] and name in NAMES:
            body = self.modern(asked, name)
        elif not folder and name in LEGACY and self.minor <= 41:
            body = self.legacy(asked, name)
        else:
            return as_json({"message": "E1005 no such thing"}, status=404)
        return as_json(self.spoil(asked, body))

    def chosen(self, asked: Asked, name: str) -> list[Record]:
        """By unit, mode, programme, days and change time, in the order of creation."""
        rows = [r for r in self.records.get(name, ()) if asked.one("includeDeleted") == "true" or not r["deleted"]]
        rows = [r for r in rows if self._there(asked, name, r) and self._then(asked, name, r)]
        after = asked.one("updatedAfter")
        return [r for r in rows if after is None or r["updatedAt"] >= after]

    def _there(self, asked: Asked, name: str, record: Record) -> bool:
        plural = name != "events" and "/tracker/" in asked.path
        known = ["orgUnits"] if plural and self.minor >= 41 else []
        known += ["orgUnit"] if not plural or self.minor <= 41 else []
        units = [one for key in known for given in asked.all(key) for one in given.replace(";", ",").split(",")]
        modes = ["orgUnitMode"] if self.minor >= 41 else []
        modes += ["ouMode"] if self.minor <= 41 else []
        mode = next((asked.one(key) for key in modes if asked.one(key)), "SELECTED")
        if not units:
            return True
        whole = mode == "DESCENDANTS"
        return any(under(record["orgUnit"], u) if whole else record["orgUnit"] == u for u in units)

    def _then(self, asked: Asked, name: str, record: Record) -> bool:
        if name == "trackedEntities":
            after, before = asked.one("enrollmentEnrolledAfter"), asked.one("enrollmentEnrolledBefore")
            days = [e["enrolledAt"] for e in record["enrollments"] if e["program"] == asked.one("program")]
            return any(self._between(day, after, before, enrolment=True) for day in days)
        if record["program"] != asked.one("program"):
            return False
        if name == "enrollments":
            after, before = asked.one("enrolledAfter"), asked.one("enrolledBefore")
            return self._between(record["enrolledAt"], after, before, enrolment=True)
        day = record["occurredAt"] or record["scheduledAt"]
        return self._between(day, asked.one("occurredAfter"), asked.one("occurredBefore"))

    def _between(self, at: str, after: str | None, before: str | None, enrolment: bool = False) -> bool:
        """2.40 loses the last day of enrolments."""
        day = at[:10]
        late = before is not None and (day >= before if enrolment and self.minor <= 40 else day > before)
        return (after is None or day >= after) and not late

    def modern(self, asked: Asked, name: str) -> Record:
        rows = self.chosen(asked, name)
        page, size = int(asked.one("page") or 1), int(asked.one("pageSize") or 50)
        here = [self._shown(row, asked) for row in rows[(page - 1) * size : page * size]]
        pager: Record = {"page": page, "pageSize": size}
        if asked.one("totalPages") == "true":
            pager |= {"total": len(rows), "pageCount": -(-len(rows) // size)}
        if self.minor <= 40:
            return pager | {"instances": here}
        if self.minor == 41:
            return {"pager": pager} | pager | {name: here}
        if page * size < len(rows):
            pager["nextPage"] = f"http://somewhere/api/tracker/{name}?page={page + 1}"
        return {"pager": pager, name: here}

    def _shown(self, row: Record, asked: Asked) -> Record:
        """The fields that were asked for, as this version names them."""
        named = {
            ("followup" if key == "followUp" and "event" in row and self.minor <= 40 else key): v
            for key, v in row.items()
        }
        wanted = {part.split("[")[0] for part in (asked.one("fields") or "").replace("]", "").split(",")}
        return {key: value for key, value in named.items() if key in wanted}

    def legacy(self, asked: Asked, name: str) -> Record:
        now = LEGACY[name]
        units = (asked.one("ou") or asked.one("orgUnit") or "").split(";")
        after, before = _legacy_window(asked, name)
        rows = [
            row
            for row in self.records.get(now, ())
            if any(under(row["orgUnit"], u) for u in units)
            and _in_program(row, now, asked.one("program"), after, before)
        ]
        page, size = int(asked.one("page") or 1), int(asked.one("pageSize") or 50)
        pager: Record = {"page": page, "pageSize": size, "total": 0, "pageCount": 1}
        if asked.one("totalPages") == "true":
            pager |= {"total": len(rows), "pageCount": max(1, -(-len(rows) // size))}
        return {"pager": pager, name: [as_before(row, now) for row in rows[(page - 1) * size : page * size]]}


def _legacy_window(asked: Asked, name: str) -> tuple[str, str]:
    first, last = ("startDate", "endDate") if name == "events" else ("programStartDate", "programEndDate")
    return asked.one(first) or "0", asked.one(last) or "9"


def _in_program(row: Record, name: str, program: str | None, after: str, before: str) -> bool:
    if name == "trackedEntities":
        return any(e["program"] == program and after <= e["enrolledAt"][:10] <= before for e in row["enrollments"])
    day = row["enrolledAt"] if name == "enrollments" else row["occurredAt"] or row["scheduledAt"]
    return bool(row["program"] == program and after <= day[:10] <= before)


def as_before(row: Record, name: str) -> Record:
    """A record as the old endpoints call its members."""
    occurred = {"enrollments": "incidentDate", "events": "eventDate"}.get(name, "")
    names = OLD_NAMES | {"occurredAt": occurred}
    old = {names.get(key, key): value for key, value in row.items()}
    if "enrollments" in old:
        old["enrollments"] = [as_before(one, "enrollments") for one in old["enrollments"]]
    return old


def spread(number: int, units: Iterable[str] = tuple(TREE), days: int = 7) -> list[Record]:
    """So many events, over the units and days in turn."""
    places = list(units)
    return [event(n, places[n % len(places)], MONDAY + timedelta(days=n // 3 % days)) for n in range(number)]
