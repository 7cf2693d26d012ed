"""The old endpoints: there up to 2.41, with the names, defaults and pagers they had."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from sandbox_tracker_help import (
    EVENTS_EACH,
    FIRST_DAY,
    PROGRAM,
    ROOT,
    STAGE,
    TRACKER,
    HandStore,
    at,
    event,
    person,
    text,
)

from hic_assets.extract.dhis2.legacy_tracker.fields import LEGACY_MEMBERS
from hic_assets.extract.dhis2.tracker.fields import MEMBERS, Form, Kind
from hic_assets.sandbox import Sandbox
from hic_assets.sandbox.server.dialect import VERSIONS
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, TRACKED_ENTITIES

Json = dict[str, Any]
Ask = Callable[..., requests.Response]
PATHS = {"trackedEntityInstances": TRACKED_ENTITIES, "enrollments": ENROLLMENTS, "events": EVENTS}
NEW_PATHS = {TRACKED_ENTITIES: "trackedEntities", ENROLLMENTS: "enrollments", EVENTS: "events"}
OLD = [v for v in VERSIONS if v < "2.42"]
ALIVE = 9


@pytest.fixture
def ask(served: Sandbox, store: HandStore) -> Iterator[Ask]:
    """GET below /api of the HIV tracker: programme and whole country by the names of the path."""
    with requests.Session() as session:
        session.auth = (served.username, served.password)
        session.headers["X-Requested-With"] = "XMLHttpRequest"

        def get(path: str, version: str = "2.40.12", /, *, bare: bool = False, **params: Any) -> requests.Response:
            served.versions[TRACKER] = version
            unit = "orgUnit" if path == "events" else "ou"
            everything = {} if bare else {"program": PROGRAM.uid, unit: ROOT, "ouMode": "DESCENDANTS"}
            url = f"{served.urls[TRACKER]}/api/{path}"
            return session.get(url, params=everything | params, timeout=20, allow_redirects=False)

        yield get
    served.versions.clear()


def rows(reply: requests.Response) -> list[Json]:
    assert reply.status_code == 200, reply.text
    return next(v for v in reply.json().values() if isinstance(v, list))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_old_endpoints_are_gone_since_2_42(ask: Ask, path: str, version: str) -> None:
    reply = ask(path, version)
    if version < "2.42":
        assert rows(reply)
        return
    assert reply.status_code == 404
    assert reply.headers["content-type"].startswith("text/html")
    assert "HTTP Status 404" in reply.text


@pytest.mark.parametrize("path", PATHS)
def test_the_pager_says_nothing_true_without_total_pages(ask: Ask, path: str) -> None:
    untrue = {"page": 2, "pageCount": 1, "total": 0, "pageSize": 4}
    assert ask(path, page=2, pageSize=4).json()["pager"] == untrue
    total = ALIVE * (EVENTS_EACH if path == "events" else 1)
    pager = ask(path, page=2, pageSize=4, totalPages="true").json()["pager"]
    assert pager == untrue | {"total": total, "pageCount": -(-total // 4)}


def test_fifty_rows_a_page_where_nothing_is_said(ask: Ask, served: Sandbox) -> None:
    served.world.trackers.install(HandStore(served.world, 20))  # type: ignore[arg-type]
    reply = ask("events").json()
    assert (reply["pager"]["pageSize"], len(reply["events"])) == (50, 50)
    assert len(rows(ask("events", skipPaging="true"))) == 19 * EVENTS_EACH
    assert "pager" not in ask("events", skipPaging="true").json()


@pytest.mark.parametrize(
    ("version", "ignored"),
    [("2.38.2", True), ("2.38.3", False), ("2.39.1", True), ("2.39.2", False), ("2.41.0", False)],
)
def test_skip_paging_was_ignored_on_events(ask: Ask, version: str, ignored: bool) -> None:
    found = rows(ask("events", version, skipPaging="true", pageSize=7))
    assert len(found) == (7 if ignored else ALIVE * EVENTS_EACH)
    assert len(rows(ask("enrollments", version, paging="false", pageSize=7))) == ALIVE


@pytest.mark.parametrize("path", PATHS)
def test_what_changed_last_comes_first(ask: Ask, store: HandStore, path: str) -> None:
    kind = PATHS[path]
    store.rows[kind][2]["updated_ms"] = at(FIRST_DAY + timedelta(days=100))
    found = [r["lastUpdated"] for r in rows(ask(path))]
    assert found == sorted(found, reverse=True)
    assert found[0] == text(store.rows[kind][2]["updated_ms"])


def test_an_order_can_be_asked_for(ask: Ask) -> None:
    found = [r["event"] for r in rows(ask("events", order="created:asc,event:asc"))]
    assert found[0] == event(0, 0)
    assert [r["event"] for r in rows(ask("events", order="event"))] == sorted(found)


@pytest.mark.parametrize("path", PATHS)
def test_no_unit_is_a_conflict_but_for_events_of_a_programme(ask: Ask, path: str) -> None:
    reply = ask(path, bare=True, program=PROGRAM.uid)
    assert reply.status_code == (200 if path == "events" else 409)
    assert ask(path, bare=True).status_code == 409
    assert ask(path, program="noSuchProg1").status_code == 409


def test_persons_of_a_type(ask: Ask) -> None:
    kind = PROGRAM.tracked_entity_type
    assert (
        len(rows(ask("trackedEntityInstances", bare=True, ou=ROOT, ouMode="DESCENDANTS", trackedEntityType=kind))) == 9
    )
    assert ask("trackedEntityInstances", trackedEntityType=kind).status_code == 409


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("enrollments", ("programStartDate", "programEndDate")),
        ("trackedEntityInstances", ("programStartDate", "programEndDate")),
        ("trackedEntityInstances", ("programEnrollmentStartDate", "programEnrollmentEndDate")),
    ],
)
@pytest.mark.parametrize("version", OLD)
def test_windows_of_enrolment_hold_their_last_day(ask: Ask, version: str, path: str, names: tuple[str, str]) -> None:
    found = rows(ask(path, version, **dict(zip(names, ("2026-03-04", "2026-03-06"), strict=True))))
    assert sorted(r["trackedEntityInstance"] for r in found) == sorted(person(i) for i in (2, 3, 4))


def test_windows_of_events(ask: Ask, store: HandStore) -> None:
    day = str(FIRST_DAY + timedelta(days=4))
    expected = sorted(e["uid"] for e in store.rows[EVENTS] if str(e["scheduled_at"]) == day)
    for names in (("startDate", "endDate"), ("dueDateStart", "dueDateEnd")):
        found = rows(ask("events", **dict.fromkeys(names, day)))
        assert sorted(r["event"] for r in found) == expected
    assert any("eventDate" not in r for r in rows(ask("events", startDate=day, endDate=day)))


def test_windows_of_change(ask: Ask, store: HandStore, served: Sandbox) -> None:
    moment = text(store.row(EVENTS, event(3, 1))["updated_ms"])
    window = {"lastUpdatedStartDate": moment, "lastUpdatedEndDate": moment}
    assert [r["event"] for r in rows(ask("events", **window))] == [event(3, 1)]
    store.row(ENROLLMENTS, store.rows[ENROLLMENTS][1]["uid"])["updated_ms"] = served.world.now_ms
    assert len(rows(ask("enrollments", lastUpdated=text(served.world.now_ms)))) == 1
    assert len(rows(ask("enrollments", lastUpdatedDuration="1h"))) == 1
    assert ask("enrollments", lastUpdatedDuration="P1D").status_code == 409


@pytest.mark.parametrize("path", PATHS)
def test_tombstones_come_when_asked_for(ask: Ask, path: str) -> None:
    count = EVENTS_EACH if path == "events" else 1
    assert sum(r["deleted"] for r in rows(ask(path, includeDeleted="true"))) == count
    assert not any(r["deleted"] for r in rows(ask(path)))


def test_some_records_by_their_uids(ask: Ask) -> None:
    wanted = sorted([event(1, 1), event(2, 2)])
    assert sorted(r["event"] for r in rows(ask("events", bare=True, event=";".join(wanted)))) == wanted
    assert ask(f"events/{event(1, 1)}", bare=True).json()["event"] == event(1, 1)
    found = rows(ask("trackedEntityInstances", trackedEntityInstance=f"{person(0)};{person(1)}"))
    assert len(found) == 2


def test_members_of_values_and_attributes(ask: Ask, store: HandStore) -> None:
    found = rows(ask("events", event=event(1, 0)))[0]
    assert set(found["dataValues"][0]) == {
        "created",
        "lastUpdated",
        "storedBy",
        "providedElsewhere",
        "dataElement",
        "value",
    }
    assert found["coordinate"] == {"latitude": -1.9, "longitude": 30.1}
    assert found["orgUnitName"]
    assert found["programStage"] == STAGE.uid
    attribute = rows(ask("trackedEntityInstances"))[0]["attributes"][0]
    assert {"attribute", "value", "created", "lastUpdated", "displayName", "valueType"} <= set(attribute)
    assert rows(ask("enrollments"))[0]["trackedEntityType"] == PROGRAM.tracked_entity_type


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("version", OLD)
def test_both_families_say_the_same_of_every_record(ask: Ask, version: str, path: str) -> None:
    """Member by member, as the two readers will see them."""
    kind = PATHS[path]
    old = rows(ask(path, version, includeDeleted="true", pageSize=100))
    mode = {"ouMode": "DESCENDANTS", "orgUnit": ROOT, "program": PROGRAM.uid}
    new = rows(ask(f"tracker/{NEW_PATHS[kind]}", version, bare=True, includeDeleted="true", pageSize=100, **mode))
    pairs = list(zip(LEGACY_MEMBERS[Kind(kind)], MEMBERS[Kind(kind)], strict=True))
    key = next((o.name, n.name) for o, n in pairs if n.key)
    by_key = {row[key[1]]: row for row in new}
    assert len(old) == len(new) == len(by_key)
    for row in old:
        other = by_key[row[key[0]]]
        for was, now in pairs:
            if now.form is Form.VALUES:
                name = "attribute" if now.name == "attributes" else "dataElement"
                assert {v[name]: v["value"] for v in row[was.name]} == {v[name]: v["value"] for v in other[now.name]}
            elif now.name != "followUp":
                assert row.get(was.name) == other.get(now.name), was.name
        assert row.get("followup") == other.get("followUp", other.get("followup"))
