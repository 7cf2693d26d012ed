"""`/api/tracker/*` of every version: envelopes, parameters and what happens to those a version does not know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from sandbox_tracker_help import (
    EVENTS_EACH,
    FIRST_DAY,
    OTHER_STAGE,
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

from hic_assets.sandbox import Sandbox
from hic_assets.sandbox.server.dialect import VERSIONS
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, TRACKED_ENTITIES

Json = dict[str, Any]
Ask = Callable[..., requests.Response]
LISTS = {"trackedEntities": "trackedEntity", "enrollments": "enrollment", "events": "event"}
ALIVE = 9


@pytest.fixture
def sandbox(served: Sandbox, store: HandStore) -> Iterator[Sandbox]:
    yield served
    served.faults.clear()
    served.versions.clear()
    served.trackers[TRACKER].max_limit = 50_000


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Ask]:
    """GET below /api of the HIV tracker in a version."""
    with requests.Session() as session:
        session.auth = (sandbox.username, sandbox.password)
        session.headers["X-Requested-With"] = "XMLHttpRequest"

        def get(path: str, version: str = "2.40.12", /, **params: Any) -> requests.Response:
            sandbox.versions[TRACKER] = version
            return session.get(f"{sandbox.urls[TRACKER]}/api/{path}", params=params, timeout=20, allow_redirects=False)

        yield get


def names(version: str, **more: Any) -> Json:
    """Programme and whole country, by the names of the version."""
    minor = int(version.split(".")[1])
    return {"program": PROGRAM.uid, "orgUnit": ROOT, "ouMode" if minor <= 40 else "orgUnitMode": "DESCENDANTS"} | more


def whole(kind: str, version: str, **more: Any) -> Json:
    """As ``names``, for any list: tracked entities and enrolments call the unit otherwise from 2.41 on."""
    made = names(version, **more)
    if kind != "events" and int(version.split(".")[1]) >= 41:
        made["orgUnits"] = made.pop("orgUnit")
    return made


def rows(reply: requests.Response) -> list[Json]:
    assert reply.status_code == 200, reply.text
    return next(v for k, v in reply.json().items() if isinstance(v, list) and k != "pager")


def uids(reply: requests.Response, key: str = "event") -> list[str]:
    return [row[key] for row in rows(reply)]


# ---- envelopes


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_envelope_of_a_page(ask: Ask, kind: str, version: str) -> None:
    minor = int(version.split(".")[1])
    body = ask(f"tracker/{kind}", version, **whole(kind, version, pageSize=4)).json()
    members = set(body)
    assert body.pop(kind if minor >= 41 else "instances")
    if minor <= 40:
        assert body == {"page": 1, "pageSize": 4}
    elif minor == 41:
        assert body == {"pager": {"page": 1, "pageSize": 4}, "page": 1, "pageSize": 4}
    else:
        assert members == {"pager", kind}
        assert set(body["pager"]) == {"page", "pageSize", "nextPage"}


@pytest.mark.parametrize("version", VERSIONS)
def test_totals_are_there_when_asked_for(ask: Ask, version: str) -> None:
    body = ask("tracker/events", version, **names(version, pageSize=10, totalPages="true", page=4)).json()
    where = body if int(version.split(".")[1]) <= 40 else body["pager"]
    assert (where["total"], where["pageCount"], where["page"]) == (ALIVE * EVENTS_EACH, 4, 4)
    if "pager" in body and "total" in body:
        assert body["pager"]["total"] == body["total"]


@pytest.mark.parametrize("version", ["2.38.4", "2.39.2", "2.40.0"])
def test_old_patches_count_rows_but_not_pages(ask: Ask, version: str) -> None:
    body = ask("tracker/events", version, **names(version, totalPages="true")).json()
    assert body["total"] == ALIVE * EVENTS_EACH
    assert "pageCount" not in body


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_without_paging_only_the_list(ask: Ask, kind: str, version: str) -> None:
    minor = int(version.split(".")[1])
    off = {"skipPaging": "true"} if minor <= 40 else {"paging": "false"}
    body = ask(f"tracker/{kind}", version, **whole(kind, version, **off)).json()
    assert set(body) == {kind if minor >= 41 else "instances"}
    assert len(next(iter(body.values()))) == ALIVE * (EVENTS_EACH if kind == "events" else 1)


def test_next_page_leads_through_everything_and_ends(ask: Ask, sandbox: Sandbox) -> None:
    reply = ask("tracker/events", "2.42.5.2", **names("2.42.5.2", pageSize=10, order="createdAt:asc"))
    seen = []
    with requests.Session() as session:
        session.auth = (sandbox.username, sandbox.password)
        while True:
            seen += uids(reply)
            pager = reply.json()["pager"]
            assert ("prevPage" in pager) == (pager["page"] > 1)
            if "nextPage" not in pager:
                break
            reply = session.get(pager["nextPage"], timeout=20)
    assert len(seen) == len(set(seen)) == ALIVE * EVENTS_EACH


def test_an_empty_list_is_a_list(ask: Ask) -> None:
    assert ask("tracker/events", **names("2.40.12", occurredAfter="2040-01-01")).json()["instances"] == []


def test_a_page_beyond_the_end_is_empty(ask: Ask) -> None:
    assert rows(ask("tracker/events", **names("2.40.12", page=99))) == []


# ---- names a version does not know


def test_old_names_on_2_42_are_ignored_and_change_the_population(ask: Ask) -> None:
    old = {"program": PROGRAM.uid, "orgUnit": ROOT, "ouMode": "DESCENDANTS"}
    # events: the mode is not seen, so SELECTED: nothing is registered at the country itself
    assert rows(ask("tracker/events", "2.42.5.2", **old)) == []
    # tracked entities: neither is the unit, so everything accessible, wherever it is
    far = old | {"orgUnit": "doesNotMatt"}
    assert len(rows(ask("tracker/trackedEntities", "2.42.5.2", **far))) == ALIVE
    assert len(rows(ask("tracker/events", "2.42.5.2", **names("2.42.5.2", skipPaging="true", pageSize=3)))) == 3


def test_new_names_on_2_40_are_ignored(ask: Ask) -> None:
    new = {"program": PROGRAM.uid, "orgUnits": ROOT, "orgUnitMode": "DESCENDANTS"}
    assert ask("tracker/trackedEntities", **new).status_code == 409
    assert len(rows(ask("tracker/events", **names("2.40.12", events=event(0, 0), pageSize=20)))) == 20
    assert len(rows(ask("tracker/events", **names("2.40.12", paging="false", pageSize=5)))) == 5
    assert len(rows(ask("tracker/events", **names("2.40.12", nonsense=1, pageSize=5)))) == 5


@pytest.mark.parametrize(("kind", "key"), LISTS.items())
def test_uid_filters_by_semicolon_then_by_comma(ask: Ask, store: HandStore, kind: str, key: str) -> None:
    table = {"trackedEntities": TRACKED_ENTITIES, "enrollments": ENROLLMENTS, "events": EVENTS}[kind]
    wanted = [row["uid"] for row in store.rows[table][:2]]
    old, new = {key: ";".join(wanted)}, {kind: ",".join(wanted)}
    for version, asked in (("2.40.12", old), ("2.41.9.1", old), ("2.41.9.1", new), ("2.43.1", new)):
        assert sorted(uids(ask(f"tracker/{kind}", version, **whole(kind, version, **asked)), key)) == sorted(wanted)
    assert ask(f"tracker/{kind}", "2.41.9.1", **whole(kind, "2.41.9.1", **old, **new)).status_code == 400
    bad = {kind: ";".join(wanted)}
    assert ask(f"tracker/{kind}", "2.42.5.2", **whole(kind, "2.42.5.2", **bad)).status_code == 400


def test_several_units_by_semicolon_then_by_comma(ask: Ask, store: HandStore) -> None:
    two = store.units[:2]
    base = {"program": PROGRAM.uid}
    for version, asked in (
        ("2.39.10", {"orgUnit": ";".join(two)}),
        ("2.41.9.1", {"orgUnit": ";".join(two)}),
        ("2.41.9.1", {"orgUnits": ",".join(two)}),
        ("2.43.1", {"orgUnits": ",".join(two)}),
    ):
        found = rows(ask("tracker/enrollments", version, **base, **asked))
        assert {row["orgUnit"] for row in found} == set(two)
        assert len(found) == 4
    assert ask("tracker/enrollments", "2.42.5.2", **base, orgUnits=";".join(two)).status_code == 400


# ---- organisation units


@pytest.mark.parametrize("version", VERSIONS)
def test_modes(ask: Ask, sandbox: Sandbox, store: HandStore, version: str) -> None:
    mode = "ouMode" if version < "2.41" else "orgUnitMode"
    facility = next(f for f in sandbox.world.facilities if f.uid == store.units[0])
    base = {"program": PROGRAM.uid, "pageSize": 100}

    def units(**asked: Any) -> set[str]:
        return {row["orgUnit"] for row in rows(ask("tracker/events", version, **base, **asked))}

    assert units(orgUnit=facility.uid) == {facility.uid}
    assert facility.uid in units(**{"orgUnit": facility.sector, mode: "CHILDREN"})
    assert units(orgUnit=facility.sector) == set()
    assert units(**{mode: "ACCESSIBLE"}) == set(store.units) == units(**{"orgUnit": ROOT, mode: "DESCENDANTS"})
    status = 409 if version < "2.41" else 400
    refused = [{mode: "ALL"}, {"orgUnit": "noSuchUnit1"}, {mode: "SELECTED"}]
    assert [ask("tracker/events", version, **base, **r).status_code for r in refused] == [status] * 3
    assert ask("tracker/events", version, **base, **{mode: "SOMEWHERE"}).status_code == 400


@pytest.mark.parametrize("kind", LISTS)
def test_neither_unit_nor_mode_is_refused_and_later_means_accessible(ask: Ask, kind: str) -> None:
    reply = ask(f"tracker/{kind}", "2.40.12", program=PROGRAM.uid)
    assert (reply.status_code, reply.json()["httpStatus"]) == (409, "Conflict")
    assert rows(ask(f"tracker/{kind}", "2.41.9.1", program=PROGRAM.uid))


def test_accessible_with_a_unit_is_refused_since_2_41(ask: Ask) -> None:
    base = {"program": PROGRAM.uid, "orgUnit": ROOT}
    assert ask("tracker/events", "2.40.12", ouMode="ACCESSIBLE", **base).status_code == 200
    assert ask("tracker/events", "2.41.9.1", orgUnitMode="ACCESSIBLE", **base).status_code == 400


def test_both_names_of_the_mode_are_refused_on_2_41(ask: Ask) -> None:
    assert ask("tracker/events", "2.41.9.1", **names("2.41.9.1", ouMode="SELECTED")).status_code == 400


# ---- refusals


@pytest.mark.parametrize("kind", ["events", "enrollments"])
def test_the_programme_is_mandatory_on_2_43(ask: Ask, kind: str) -> None:
    assert rows(ask(f"tracker/{kind}", "2.42.5.2"))
    assert ask(f"tracker/{kind}", "2.43.1").status_code == 400


def test_persons_need_a_programme_or_a_type_and_not_both(ask: Ask) -> None:
    kind = PROGRAM.tracked_entity_type
    assert ask("tracker/trackedEntities", "2.43.1").status_code == 400
    assert ask("tracker/trackedEntities", "2.40.12", orgUnit=ROOT).status_code == 409
    assert ask("tracker/trackedEntities", "2.43.1", program=PROGRAM.uid, trackedEntityType=kind).status_code == 400
    assert len(rows(ask("tracker/trackedEntities", "2.43.1", trackedEntityType=kind))) == ALIVE


@pytest.mark.parametrize(("version", "status"), [("2.40.12", 409), ("2.41.9.1", 400), ("2.43.1", 400)])
def test_an_unknown_programme_or_stage_is_refused(ask: Ask, version: str, status: int) -> None:
    assert ask("tracker/events", version, **names(version) | {"program": "noSuchProg1"}).status_code == status
    assert ask("tracker/events", version, **names(version, programStage="noSuchStag1")).status_code == status


@pytest.mark.parametrize("given", [{"page": 1}, {"pageSize": 10}, {"totalPages": "true"}])
def test_paging_off_and_a_page_contradict_each_other_since_2_42(ask: Ask, given: Json) -> None:
    assert ask("tracker/events", "2.41.9.1", **names("2.41.9.1", paging="false", **given)).status_code == 200
    assert ask("tracker/events", "2.42.5.2", **names("2.42.5.2", paging="false", **given)).status_code == 400


@pytest.mark.parametrize("given", [{"page": "x"}, {"occurredAfter": "soon"}, {"includeDeleted": "perhaps"}])
def test_values_of_another_type_are_400(ask: Ask, given: Json) -> None:
    reply = ask("tracker/events", **names("2.40.12", **given))
    assert reply.status_code == 400
    assert reply.json()["status"] == "ERROR"


def test_a_page_below_one_is_refused_since_2_41(ask: Ask) -> None:
    assert ask("tracker/events", "2.40.12", **names("2.40.12", page=0)).json()["page"] == 1
    assert ask("tracker/events", "2.41.9.1", **names("2.41.9.1", page=0)).status_code == 400


# ---- the limit on tracked entities


@pytest.mark.parametrize("version", VERSIONS)
def test_tracked_entities_without_paging_stop_at_the_limit(ask: Ask, sandbox: Sandbox, version: str) -> None:
    sandbox.trackers[TRACKER].max_limit = 4
    off = {"skipPaging": "true"} if version < "2.41" else {"paging": "false"}
    for kind, expected in (("trackedEntities", 4), ("enrollments", ALIVE), ("events", ALIVE * EVENTS_EACH)):
        assert len(rows(ask(f"tracker/{kind}", version, **whole(kind, version, **off)))) == expected


def test_a_page_above_the_limit_is_cut_and_since_2_41_refused(ask: Ask, sandbox: Sandbox) -> None:
    sandbox.trackers[TRACKER].max_limit = 4
    old = ask("tracker/trackedEntities", "2.40.12", **whole("trackedEntities", "2.40.12", pageSize=6))
    assert (old.json()["pageSize"], len(rows(old))) == (6, 4)
    new = ask("tracker/trackedEntities", "2.41.9.1", **whole("trackedEntities", "2.41.9.1", pageSize=6))
    assert new.status_code == 400
    assert "KeyTrackedEntityMaxLimit 4" in new.json()["message"]
    assert ask("tracker/events", "2.43.1", **names("2.43.1", pageSize=6)).status_code == 200


# ---- windows


@pytest.mark.parametrize("version", VERSIONS)
def test_the_day_of_an_event_is_when_it_happened_else_when_it_was_due(ask: Ask, store: HandStore, version: str) -> None:
    begin, end = FIRST_DAY + timedelta(days=2), FIRST_DAY + timedelta(days=3)
    reply = ask("tracker/events", version, **names(version, occurredAfter=str(begin), occurredBefore=str(end)))
    expected = [e for e in store.rows[EVENTS] if begin <= e["scheduled_at"] <= end and not e["deleted"]]
    assert sorted(uids(reply)) == sorted(e["uid"] for e in expected)
    assert any(e["occurred_at"] is None for e in expected)


def test_scheduled_window(ask: Ask, store: HandStore) -> None:
    day = str(FIRST_DAY + timedelta(days=4))
    found = uids(ask("tracker/events", **names("2.40.12", scheduledAfter=day, scheduledBefore=day)))
    assert sorted(found) == sorted(e["uid"] for e in store.rows[EVENTS] if str(e["scheduled_at"]) == day)


@pytest.mark.parametrize(
    ("version", "lost"), [("2.38.7", 0), ("2.40.0", 1), ("2.40.1", 1), ("2.40.12", 0), ("2.41.9.1", 0), ("2.43.1", 0)]
)
def test_enrolled_before_loses_its_last_day_on_2_40_1(ask: Ask, version: str, lost: int) -> None:
    window = {"enrolledAfter": "2026-03-04", "enrolledBefore": "2026-03-06"}
    assert len(rows(ask("tracker/enrollments", version, **whole("enrollments", version, **window)))) == 3 - lost


def test_persons_by_the_day_of_their_enrolment(ask: Ask) -> None:
    window = {"enrollmentEnrolledAfter": "2026-03-04", "enrollmentEnrolledBefore": "2026-03-06"}
    for version in VERSIONS:
        found = uids(
            ask("tracker/trackedEntities", version, **whole("trackedEntities", version, **window)), "trackedEntity"
        )
        assert sorted(found) == sorted(person(i) for i in (2, 3, 4))
    without = {"orgUnit": ROOT, "trackedEntityType": PROGRAM.tracked_entity_type, **window}
    assert ask("tracker/trackedEntities", "2.41.9.1", **without).status_code == 400


def test_events_by_the_day_of_the_enrolment(ask: Ask) -> None:
    window = {"enrollmentEnrolledAfter": "2026-03-04", "enrollmentEnrolledBefore": "2026-03-04"}
    assert sorted(uids(ask("tracker/events", **names("2.40.12", **window)))) == sorted(event(2, j) for j in range(4))


@pytest.mark.parametrize("version", VERSIONS)
def test_both_ends_of_a_change_window_are_included(ask: Ask, store: HandStore, version: str) -> None:
    wanted = store.row(EVENTS, event(3, 1))
    moment = text(wanted["updated_ms"])
    window = {"updatedAfter": moment, "updatedBefore": moment}
    assert uids(ask("tracker/events", version, **names(version, **window))) == [wanted["uid"]]
    zoned = {"updatedAfter": f"{moment[:-4]}+0200", "updatedBefore": moment}
    assert uids(ask("tracker/events", version, **names(version, **zoned))) == [wanted["uid"]]


def test_enrolments_have_no_updated_before(ask: Ask) -> None:
    assert len(rows(ask("tracker/enrollments", **names("2.40.12", updatedBefore="2000-01-01")))) == ALIVE


@pytest.mark.parametrize(("version", "status"), [("2.40.12", 409), ("2.43.1", 400)])
def test_updated_within_takes_the_short_form_alone(
    ask: Ask, sandbox: Sandbox, store: HandStore, version: str, status: int
) -> None:
    store.row(EVENTS, event(0, 0))["updated_ms"] = sandbox.world.now_ms - 3_600_000
    assert uids(ask("tracker/events", version, **names(version, updatedWithin="2h"))) == [event(0, 0)]
    assert ask("tracker/events", version, **names(version, updatedWithin="P1D")).status_code == status
    both = names(version, updatedWithin="1d", updatedAfter="2026-01-01")
    assert ask("tracker/events", version, **both).status_code == status


def test_stage_status_person_and_follow_up(ask: Ask) -> None:
    def found(**more: Any) -> set[str]:
        return set(uids(ask("tracker/events", **names("2.40.12", pageSize=100, **more))))

    first = {event(i, j) for i in range(ALIVE) for j in (0, 2)}
    assert found(programStage=STAGE.uid) == first
    assert found(programStage=OTHER_STAGE.uid, status="SCHEDULE") == {event(i, 3) for i in range(ALIVE)}
    assert found(trackedEntity=person(4)) == {event(4, j) for j in range(4)}
    assert found(followUp="true") == {event(0, j) for j in range(4)}
    assert found(filter=f"{STAGE.data_elements[0].uid}:like:é 7") == {event(7, j) for j in range(3)}


# ---- order


@pytest.mark.parametrize("version", VERSIONS)
def test_the_default_order(ask: Ask, store: HandStore, version: str) -> None:
    store.row(EVENTS, event(2, 0))["updated_ms"] = at(FIRST_DAY + timedelta(days=60))
    found = uids(ask("tracker/events", version, **names(version, pageSize=100)))
    # an old record that was edited jumps to the first page, or stays where its id is
    assert (found[0] == event(2, 0)) == (version < "2.41")
    if version >= "2.41":
        assert found == [event(i, j) for i in reversed(range(ALIVE)) for j in reversed(range(4))]


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_ordered_by_creation(ask: Ask, kind: str, version: str) -> None:
    found = rows(ask(f"tracker/{kind}", version, **whole(kind, version, order="createdAt:asc", pageSize=100)))
    assert [r["createdAt"] for r in found] == sorted(r["createdAt"] for r in found)


def test_unknown_orders_are_passed_over_and_since_2_41_refused(ask: Ask) -> None:
    assert ask("tracker/events", "2.40.12", **names("2.40.12", order="colour:asc")).status_code == 200
    assert ask("tracker/events", "2.41.9.1", **names("2.41.9.1", order="colour:asc")).status_code == 400


def test_equal_rows_may_be_served_twice_or_never_before_the_tie_break(ask: Ask, store: HandStore) -> None:
    for row in store.rows[EVENTS]:
        row["created_ms"] = at(FIRST_DAY)

    def walk(version: str, order: str) -> list[str]:
        pages = [ask("tracker/events", version, **names(version, order=order, pageSize=6, page=p)) for p in range(1, 7)]
        return [uid for page in pages for uid in uids(page)]

    torn = walk("2.40.6", "createdAt:asc")
    assert len(torn) == 36 > len(set(torn))
    for version, order in (("2.40.7", "createdAt:asc"), ("2.43.1", "createdAt:asc"), ("2.40.6", "createdAt,event")):
        assert len(set(walk(version, order))) == 36


# ---- deleted records


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_tombstones_come_when_asked_for(ask: Ask, kind: str, version: str) -> None:
    found = rows(ask(f"tracker/{kind}", version, **whole(kind, version, includeDeleted="true", pageSize=100)))
    assert sum(r["deleted"] for r in found) == (EVENTS_EACH if kind == "events" else 1)
    assert not any(r["deleted"] for r in rows(ask(f"tracker/{kind}", version, **whole(kind, version, pageSize=100))))


@pytest.mark.parametrize(
    ("version", "seen"), [("2.38.6", 0), ("2.38.7", 4), ("2.40.2", 0), ("2.40.3", 4), ("2.41.0", 4), ("2.43.1", 4)]
)
def test_a_deletion_is_a_change_only_since_some_patches(ask: Ask, store: HandStore, version: str, seen: int) -> None:
    late = at(FIRST_DAY + timedelta(days=90))
    for row in store.rows[EVENTS]:
        if row["deleted"]:
            row["updated_ms"] = late
    window = {"updatedAfter": text(late), "includeDeleted": "true"}
    assert len(rows(ask("tracker/events", version, **names(version, **window)))) == seen


@pytest.mark.parametrize(
    ("version", "leaks"), [("2.38.3", True), ("2.39.1", True), ("2.39.2", False), ("2.42.5.2", False)]
)
def test_nested_tombstones_leak_on_old_patches(ask: Ask, store: HandStore, version: str, leaks: bool) -> None:
    store.row(EVENTS, event(0, 1))["deleted"] = True
    asked = whole("trackedEntities", version, fields="enrollments[enrollment,events[event,deleted]]", pageSize=100)
    found = rows(ask("tracker/trackedEntities", version, **asked))
    nested = {e["event"]: e["deleted"] for t in found for n in t["enrollments"] for e in n["events"]}
    assert (nested.get(event(0, 1)) is True) == leaks
    assert len(nested) == ALIVE * EVENTS_EACH - (0 if leaks else 1)


@pytest.mark.parametrize(
    ("version", "fresh"), [("2.40.11", False), ("2.40.12", True), ("2.41.8", False), ("2.43.0", True)]
)
def test_the_time_of_an_attribute_was_not_refreshed(ask: Ask, version: str, fresh: bool) -> None:
    found = rows(ask("tracker/trackedEntities", version, **whole("trackedEntities", version)))[0]
    assert {a["updatedAt"] for a in found["attributes"]} == {found["updatedAt"] if fresh else found["createdAt"]}


# ---- members


def test_times_are_local_without_an_offset_and_days_are_midnight(ask: Ask, store: HandStore) -> None:
    row = store.row(EVENTS, event(1, 0))
    found = rows(ask("tracker/events", **names("2.40.12", event=row["uid"])))[0]
    assert found["createdAt"] == text(row["created_ms"])
    assert found["completedAt"] == "2026-03-03T16:05:00.123"
    assert found["occurredAt"] == found["scheduledAt"] == "2026-03-03T00:00:00.000"
    assert found["geometry"] == {"type": "Point", "coordinates": [30.1, -1.9]}


def test_what_is_null_is_left_out(ask: Ask) -> None:
    found = rows(ask("tracker/events", **names("2.40.12", event=event(0, 3))))[0]
    assert found["status"] == "SCHEDULE"
    assert not {"occurredAt", "completedAt", "completedBy", "geometry"} & set(found)
    assert found["dataValues"] == found["notes"] == []
    only = rows(ask("tracker/events", **names("2.40.12", event=event(0, 3), fields="completedAt,occurredAt")))
    assert only == [{}]


@pytest.mark.parametrize("version", VERSIONS)
def test_members_by_version(ask: Ask, version: str) -> None:
    found = rows(ask("tracker/events", version, **names(version)))[0]
    assert {n for n in ("followup", "followUp") if n in found} == {
        38: {"followup"}, 39: {"followup"}, 40: {"followup"}, 41: {"followup", "followUp"}, 42: {"followUp"}, 43: {"followUp"},
    }[int(version.split(".")[1])]  # fmt: skip
    assert ("orgUnitName" in found) == (version < "2.41")
    enrollment = rows(ask("tracker/enrollments", version, **whole("enrollments", version)))[0]
    assert ("attributeOptionCombo" in enrollment) == (version >= "2.43")
    assert not {"events", "attributes", "relationships"} & set(enrollment)
    tracked = rows(ask("tracker/trackedEntities", version, **whole("trackedEntities", version)))[0]
    assert tracked["attributes"]
    assert not {"enrollments", "programOwners", "relationships"} & set(tracked)


def test_fields(ask: Ask, store: HandStore) -> None:
    def first(kind: str, fields: str) -> Json:
        return rows(ask(f"tracker/{kind}", **names("2.40.12", fields=fields, order="createdAt:asc")))[0]

    value = store.row(EVENTS, event(0, 0))["data_values"][0]
    narrow = first("events", "event,dataValues[dataElement,value],nothing")
    assert narrow["dataValues"][0] == {"dataElement": value["data_element"], "value": value["value"]}
    assert set(narrow) == {"event", "dataValues"}
    assert set(first("events", "*,!dataValues,!notes")) & {"dataValues", "notes", "event"} == {"event"}
    assert set(first("events", ":all")["dataValues"][0]) >= {"createdAt", "updatedAt", "storedBy", "value"}
    renamed = first("events", "event~rename(id),dataValues[value~rename(v)]")
    assert renamed == {
        "id": event(0, 0),
        "dataValues": [{"v": v["value"]} for v in store.rows[EVENTS][0]["data_values"]],
    }
    attribute = first("trackedEntities", "attributes[*,!value]")["attributes"][0]
    assert attribute["displayName"] == PROGRAM.attributes[0].name
    assert "value" not in attribute
    nested = first("enrollments", "enrollment,attributes[attribute,value],events[event]")
    assert [e["event"] for e in nested["events"]] == [event(0, j) for j in range(4)]
    assert len(nested["attributes"]) == 3


def test_one_record_by_its_uid(ask: Ask) -> None:
    assert ask(f"tracker/events/{event(1, 2)}", "2.43.1", fields="event").json() == {"event": event(1, 2)}
    missing = ask("tracker/trackedEntities/noSuchPers1")
    assert missing.status_code == 404
    assert missing.json()["errorCode"] == "E1005"
    assert missing.json()["message"] == "TrackedEntity with id noSuchPers1 could not be found."


def test_text_comes_through_as_it_is(ask: Ask, store: HandStore) -> None:
    nasty = 'a "quote", a \\ and\na line, ,"completedAt":null {"code":null} é 中 \u2028'
    store.row(EVENTS, event(0, 0))["data_values"] = [{"data_element": STAGE.data_elements[0].uid, "value": nasty}]
    found = rows(ask("tracker/events", **names("2.40.12", event=event(0, 0))))[0]
    assert found["dataValues"][0]["value"] == nasty
