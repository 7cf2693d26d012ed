"""Five servers in one: contexts, versions, metadata, interruptions, faults and the control endpoint."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from sandbox_tracker_help import EVENTS_EACH, PROGRAM, ROOT, STAGE, TRACKER, HandStore, event

from hic_assets.sandbox import Sandbox, running_sandbox
from hic_assets.sandbox.world.trackers.catalogue import INSTANCES, ElementSpec
from hic_assets.sandbox.world.trackers.schema import EVENTS
from hic_assets.systems import SYSTEMS

Ask = Callable[..., requests.Response]
TRACKERS = [i.name for i in INSTANCES]


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.02, versions={"cancer_registry": "2.43.1"}) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox, store: HandStore) -> Iterator[Sandbox]:
    served.requests.clear()
    yield served
    served.faults.clear()
    served.differences.clear()
    served.interruptions.clear()
    served.world.version = "2.40.12"


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Ask]:
    """GET below /api of a system (the HIV tracker)."""
    with requests.Session() as session:
        session.auth = (sandbox.username, sandbox.password)
        session.headers["X-Requested-With"] = "XMLHttpRequest"

        def get(path: str, system: str = TRACKER, /, **params: Any) -> requests.Response:
            return session.get(f"{sandbox.urls[system]}/api/{path}", params=params, timeout=20, allow_redirects=False)

        yield get


@pytest.fixture
def events(ask: Ask) -> Ask:
    """All events of the programme in one page; keyword arguments change parameters."""

    def get(**changes: Any) -> requests.Response:
        base = {"program": PROGRAM.uid, "orgUnit": ROOT, "ouMode": "DESCENDANTS", "pageSize": 100}
        return ask("tracker/events", **(base | {"order": "createdAt:asc"} | changes))

    return get


@pytest.fixture
def control(sandbox: Sandbox) -> Ask:
    return lambda **body: requests.post(sandbox.control_url, json=body, timeout=20)


# ---- systems


def test_every_system_is_a_server_of_its_own(sandbox: Sandbox, ask: Ask) -> None:
    assert list(sandbox.urls)[:5] == ["hmis", *TRACKERS]
    infos = {system: ask("system/info", system).json() for system in ("hmis", *TRACKERS)}
    assert len({i["systemId"] for i in infos.values()}) == 5
    assert all(i["contextPath"] == sandbox.urls[s] for s, i in infos.items())
    assert infos["hiv_tracker"]["systemId"] == INSTANCES[TRACKERS.index("hiv_tracker")].system_id
    assert {s: i["version"] for s, i in infos.items()} == dict.fromkeys(infos, "2.40.12") | {
        "cancer_registry": "2.43.1"
    }
    assert ask("dataValueSets").status_code == ask("dataSets").status_code == 404
    assert ask("programs", "hmis").status_code == ask("tracker/events", "hmis").status_code == 404
    assert ask("me").json()["username"] == sandbox.username


def test_the_version_of_the_hmis_alone() -> None:
    with running_sandbox(scale=0.02, version="2.39.10", versions={"hmis": "2.42.5.2"}) as sandbox:
        auth = (sandbox.username, sandbox.password)
        found = {
            s: requests.get(f"{u}/api/system/info", auth=auth, timeout=20).json()["version"]
            for s, u in sandbox.urls.items()
            if s not in sandbox.clinical
        }
    assert found == dict.fromkeys(TRACKERS, "2.39.10") | {"hmis": "2.42.5.2"}


def test_the_units_are_those_of_the_hmis(ask: Ask) -> None:
    asked = {"paging": "false", "fields": "id,name,path"}
    assert ask("organisationUnits", **asked).json() == ask("organisationUnits", "hmis", **asked).json()


def test_credentials_are_asked_for(sandbox: Sandbox) -> None:
    url = f"{sandbox.urls[TRACKER]}/api/system/info"
    assert requests.get(url, headers={"X-Requested-With": "XMLHttpRequest"}, timeout=20).status_code == 401
    away = requests.get(url, timeout=20, allow_redirects=False)
    assert (away.status_code, away.headers["location"]) == (302, "/hiv/dhis-web-commons/security/login.action")
    assert requests.post(url, auth=(sandbox.username, sandbox.password), timeout=20).status_code == 405


def test_requests_are_logged(sandbox: Sandbox, events: Ask) -> None:
    events()
    entry = sandbox.requests[-1]
    assert (entry.path, entry.status) == ("/hiv/api/tracker/events", 200)
    assert f"program={PROGRAM.uid}" in entry.query


# ---- metadata


def test_the_programmes_are_those_the_warehouse_declares() -> None:
    declared = {s.name: {p.uid for p in s.programmes} for s in SYSTEMS if s.programmes}
    assert {i.name: {p.uid for p in i.programmes} for i in INSTANCES} == declared


@pytest.mark.parametrize("system", TRACKERS)
def test_a_programme_with_all_it_asks_for(ask: Ask, system: str) -> None:
    fields = (
        "id,code,name,programType,trackedEntityType[id],programTrackedEntityAttributes[sortOrder,mandatory,"
        "trackedEntityAttribute[id,code,name,valueType,unique,confidential,optionSet[id]]],programStages[id,name,"
        "repeatable,sortOrder,programStageDataElements[compulsory,sortOrder,dataElement[id,code,valueType,optionSet[id]]]]"
    )
    found = ask("programs.json", system, fields=fields, paging="false").json()["programs"]
    spec = next(i for i in INSTANCES if i.name == system)
    assert {p["id"] for p in found} == {p.uid for p in spec.programmes}
    for programme in spec.programmes:
        one = next(p for p in found if p["id"] == programme.uid)
        assert one["programType"] == "WITH_REGISTRATION"
        assert [s["id"] for s in one["programStages"]] == [s.uid for s in programme.stages]
        for stage, asked in zip(programme.stages, one["programStages"], strict=True):
            elements = [e["dataElement"] for e in asked["programStageDataElements"]]
            assert [e["id"] for e in elements] == [e.uid for e in stage.data_elements]
            assert [e.get("optionSet", {}).get("id") for e in elements] == [
                e.option_set.uid if e.option_set else None for e in stage.data_elements
            ]
        attributes = [a["trackedEntityAttribute"]["id"] for a in one["programTrackedEntityAttributes"]]
        assert attributes == [a.uid for a in programme.attributes]


def test_lists_of_metadata_are_paged_and_filtered(ask: Ask) -> None:
    sets = ask("optionSets", pageSize=2, fields="id,name,options[code,name,sortOrder]").json()
    assert len(sets["optionSets"]) == 2
    assert "nextPage" in sets["pager"]
    own = sets["optionSets"][0]
    options = ask("options", filter=f"optionSet.id:eq:{own['id']}", paging="false", fields="code,name,sortOrder").json()
    assert sorted(options["options"], key=lambda o: o["sortOrder"]) == own["options"]
    stages = ask("programStages", fields="id,program[id]", paging="false").json()["programStages"]
    assert {s["program"]["id"] for s in stages} == {PROGRAM.uid}
    element = STAGE.data_elements[0]
    assert ask(f"dataElements/{element.uid}", fields="id,domainType").json() == {
        "id": element.uid,
        "domainType": "TRACKER",
    }
    attributes = ask("trackedEntityAttributes", paging="false", fields=":all").json()["trackedEntityAttributes"]
    assert {a["id"] for a in attributes} == {a.uid for a in PROGRAM.attributes}


def test_a_form_can_grow(sandbox: Sandbox, ask: Ask) -> None:
    tracker = sandbox.trackers[TRACKER]
    before = tracker.programmes
    new = ElementSpec("NewElement1", "NEW", "New - field", "field", "NUMBER", None, compulsory=False)
    tracker.add_data_element(PROGRAM.uid, STAGE.uid, new)
    found = ask(f"programStages/{STAGE.uid}", fields="programStageDataElements[dataElement[id]]").json()
    assert {"dataElement": {"id": "NewElement1"}} in found["programStageDataElements"]
    assert ask("dataElements/NewElement1").json()["valueType"] == "NUMBER"
    tracker.programmes = before


# ---- while somebody reads


def test_something_happens_between_two_pages(sandbox: Sandbox, store: HandStore, events: Ask) -> None:
    def insert() -> None:
        store.rows[EVENTS].append(store.row(EVENTS, event(0, 0)) | {"uid": "brandNewOne", "_seq": 10_000})
        store.changes += 1

    happening = sandbox.during(r"/tracker/events.*page=", after_requests=2, do=insert)
    newest = {"pageSize": 10, "order": "occurredAt:desc", "version": 1}
    pages = [[r["event"] for r in events(page=p, **newest).json()["instances"]] for p in (1, 2, 3, 4)]
    assert happening.done
    served = [uid for page in pages for uid in page]
    assert "brandNewOne" in served
    assert len(served) == 9 * EVENTS_EACH + 1
    events(page=1, **newest)
    assert len(store.rows[EVENTS]) == 10 * EVENTS_EACH + 1


def test_it_does_not_happen_without_a_next_request(sandbox: Sandbox, events: Ask) -> None:
    happened = []
    sandbox.during("/tracker/events", after_requests=1, do=lambda: happened.append(1))
    sandbox.during("/tracker/enrollments", after_requests=0, do=lambda: happened.append(2))
    events()
    assert happened == []
    events()
    events()
    assert happened == [1]


# ---- faults (those of every path are in test_sandbox_faults)


def test_the_faults_of_the_transport_strike_trackers(sandbox: Sandbox, events: Ask) -> None:
    sandbox.faults.set("unavailable", times=1, path="/api/tracker/")
    assert [events().status_code, events().status_code] == [503, 200]
    sandbox.faults.set("rate_limited", times=1, retry_after=1, path="/hiv/api/")
    assert events().headers["retry-after"] == "1"
    sandbox.faults.set("html_login", times=1)
    assert events().headers["content-type"].startswith("text/html")
    sandbox.faults.set("truncated_json", times=1, path="/api/tracker/events")
    with pytest.raises(json.JSONDecodeError):
        events().json()
    sandbox.faults.set("cut_body", times=1, path="/api/tracker/events")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        events()
    sandbox.faults.set("reset", times=1, path="/api/tracker/events")
    with pytest.raises(requests.ConnectionError):
        events()
    assert events().status_code == 200


# ---- control


def test_trackers_are_controlled_from_outside(sandbox: Sandbox, control: Ask, events: Ask, ask: Ask) -> None:
    state = control(versions={"immunization_tracker": "2.42.5.2"}).json()
    assert state["versions"]["immunization_tracker"] == "2.42.5.2"
    assert ask("system/info", "immunization_tracker").json()["version"] == "2.42.5.2"
    assert control(versions={"immunization_tracker": None}).json()["versions"]["immunization_tracker"] == "2.40.12"
    assert control(versions={"nobody": "2.40.1"}).status_code == 400
    limit = {"op": "tracker_max_limit", "system": TRACKER, "rows": 3}
    assert control(mutate=[limit]).status_code == 200
    assert sandbox.trackers[TRACKER].max_limit == 3
    control(during=[{"path": "/tracker/events", "after_requests": 1, "mutate": [limit | {"rows": 50_000}]}])
    events()
    assert sandbox.trackers[TRACKER].max_limit == 3
    events()
    assert sandbox.trackers[TRACKER].max_limit == 50_000
    assert control(mutate=[{"op": "tracker_dance", "system": TRACKER}]).status_code == 400
    assert control(mutate=[limit | {"system": "nobody"}]).status_code == 400


def test_differences_are_controlled_from_outside(control: Ask, events: Ask) -> None:
    program = {"program": PROGRAM.uid}
    state = control(differences=[{"name": "ghost_event", "side": "unified", "rows": 2, **program}]).json()
    assert state["differences"][0]["uids"] == []
    assert len(events().json()["instances"]) == 9 * EVENTS_EACH + 2
    assert len(control().json()["differences"][0]["uids"]) == 2
    assert control(differences=[{"name": "gremlins"}]).status_code == 400
    assert control(clear_differences=True).json()["differences"] == []
    assert len(events().json()["instances"]) == 9 * EVENTS_EACH


# ---- with the country's own persons


def test_the_country_drifts_while_both_families_read(sandbox: Sandbox, ask: Ask, control: Ask) -> None:
    system, programme = "hmis_tracker", next(i for i in INSTANCES if i.name == "hmis_tracker").programme("tb")
    asked = {"program": programme.uid, "orgUnit": ROOT, "ouMode": "DESCENDANTS", "includeDeleted": "true"}
    asked |= {"skipPaging": "true"}

    def events(path: str, key: str) -> dict[str, str]:
        return {
            r["event"]: r[key] for r in ask(path, system, **asked).json()[path if path == "events" else "instances"]
        }

    before = events("tracker/events", "updatedAt")
    assert before == events("events", "lastUpdated")
    control(advance_days=0.01)
    control(during=[{"path": "/tracker/api/tracker/events", "after_requests": 0, "mutate": [
        {"op": "tracker_drift", "system": system, "n": 60, "seed": 3}
    ]}])  # fmt: skip
    after = events("tracker/events", "updatedAt")
    assert set(after) > set(before)
    assert any(after[uid] > before[uid] for uid in before)
    assert after == events("events", "lastUpdated")


def test_as_a_process_with_events_for_a_benchmark() -> None:
    command = [
        sys.executable,
        "-m",
        "hic_assets.sandbox",
        "--scale",
        "0.02",
        "--tracker-events",
        "3000",
        "--with-parent",
    ]
    command += ["--system-version", "hiv_tracker=2.42.5.2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready["urls"]) == {"hmis", *TRACKERS, *ready["credentials"]}
        assert set(ready["credentials"]["hpemr"]) == {"username", "password"}
        asked = {"program": PROGRAM.uid, "paging": "false", "fields": "event", "includeDeleted": "true"}
        auth = (ready["username"], ready["password"])
        reply = requests.get(f"{ready['urls'][TRACKER]}/api/tracker/events", params=asked, auth=auth, timeout=60)
        assert len(reply.json()["events"]) == 3000
        process.terminate()
        assert process.wait(20) == 0
