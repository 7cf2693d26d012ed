"""The endpoints as each version serves them: contract 1.1 to 1.4."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
import recorded
import requests
from sandbox_help import MONTH, district

from hic_assets.sandbox import Sandbox, World, running_sandbox
from hic_assets.sandbox.server.dialect import VERSIONS
from hic_assets.sandbox.server.render import CSV_HEADER
from hic_assets.sandbox.world import catalogue, geography, values
from hic_assets.sandbox.world.registry import RESOURCES

RECORDED = recorded.REAL / "dhis2"

Get = Callable[..., requests.Response]
MAY = date(2026, 5, 1)
CSV = {"Accept": "application/csv"}
COLUMNS = CSV_HEADER.decode().strip().split(",")


def read(reply: requests.Response) -> pl.DataFrame:
    assert reply.status_code == 200, reply.text
    return pl.read_csv(io.BytesIO(reply.content), infer_schema=False)


def raw(frame: pl.DataFrame) -> pl.DataFrame:
    """A CSV of the server with the raw names, sorted by key."""
    named = frame.rename(dict(zip(COLUMNS, values.COLUMNS, strict=True)))
    return named.with_columns(pl.col("deleted").replace("null", None)).sort(values.COLUMNS[:5])


def here(sandbox: Sandbox, code: str = "102") -> pl.DataFrame:
    frame = sandbox.world.data_values(MAY, sandbox.world.inside(district(code)))
    return frame.select(values.COLUMNS).sort(values.COLUMNS[:5])


@pytest.mark.parametrize("version", VERSIONS)
def test_system_info(sandbox: Sandbox, get: Get, version: str) -> None:
    sandbox.world.version = version
    info = get("system/info").json()
    assert info["version"] == version
    assert info["serverTimeZoneId"] == "Africa/Kigali"
    assert datetime.fromisoformat(info["serverDate"]).tzinfo is None
    assert info["serverDate"] == "2026-09-15T12:00:00.000"
    assert info["calendar"] == "iso8601"
    assert len(info["systemId"]) == 36
    assert info == get("system/info").json()


@pytest.mark.parametrize("version", ["v38", "v39", "v40", "v41", "v43"])
@pytest.mark.real
def test_system_info_has_the_keys_of_real_servers(get: Get, version: str) -> None:
    file = RECORDED / f"system_info_{version}.json"
    if not file.exists():
        pytest.skip("recorded responses are not here")
    recorded = json.loads(file.read_text())
    ours = get("system/info").json()
    assert set(ours) <= set(recorded)
    assert all(type(ours[k]) is type(recorded[k]) for k in ours)


@pytest.mark.parametrize("resource", list(RESOURCES))
def test_metadata_is_paged_whole_and_once(sandbox: Sandbox, get: Get, resource: str) -> None:
    everything = get(resource, params={"paging": "false", "fields": "id"}).json()
    assert list(everything) == [resource]
    seen: list[str] = []
    page, count = 1, 1
    while page <= count:
        body = get(resource, params={"fields": "id", "page": page, "pageSize": 100, "order": "id:asc"}).json()
        count = body["pager"]["pageCount"]
        assert body["pager"]["total"] == len(everything[resource])
        assert ("nextPage" in body["pager"]) == (page < count)
        seen += [o["id"] for o in body[resource]]
        page += 1
    assert seen == sorted(o["id"] for o in everything[resource])
    assert sandbox.requests[-1].path == f"/hmis/api/{resource}"


def test_pager_is_clamped_beyond_the_end_and_defaults_to_fifty(get: Get) -> None:
    body = get("dataElements", params={"page": 999}).json()
    assert body["dataElements"] == []
    assert body["pager"]["page"] == body["pager"]["pageCount"]
    first = get("dataElements").json()
    assert len(first["dataElements"]) == 50
    assert set(first["dataElements"][0]) == {"id", "displayName"}
    names = [o["displayName"].lower() for o in first["dataElements"]]
    assert names == sorted(names)


def test_fields_nest_rename_and_count(get: Get) -> None:
    wanted = "id,name~rename(label),dataSetElements[dataElement[id],categoryCombo[id]],organisationUnits~size"
    item = get("dataSets", params={"fields": wanted, "paging": "false", "filter": "code:eq:EPI_MONTHLY"}).json()[
        "dataSets"
    ][0]
    assert set(item) == {"id", "label", "dataSetElements", "organisationUnits"}
    assert item["organisationUnits"] > 60
    assert set(item["dataSetElements"][0]) == {"dataElement", "categoryCombo"}
    assert list(item["dataSetElements"][0]["dataElement"]) == ["id"]
    whole = get("indicators", params={"fields": "*", "pageSize": 1}).json()["indicators"][0]
    assert {"numerator", "denominator", "annualized", "indicatorType"} <= set(whole)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["level:eq:3"], 30),
        (["level:in:[1,2]"], 6),
        (["level:le:2"], 6),
        (["level:eq:3", "name:ilike:NYA"], 7),
        (["code:eq:0102"], 1),
        (["parent:null"], 1),
        (["level:lt:3", "parent:!null"], 5),
        (["level:eq:2", "name:like:Province"], 4),
        (["level:eq:2", "name:!like:Province"], 1),
    ],
)
def test_filters(get: Get, filters: list[str], expected: int) -> None:
    body = get("organisationUnits", params={"filter": filters, "paging": "false", "fields": "id,name"}).json()
    assert len(body["organisationUnits"]) == expected


def test_unknown_filter_is_refused_and_not_empty_depends_on_the_version(sandbox: Sandbox, get: Get) -> None:
    reply = get("organisationUnits", params={"filter": "name:sounds:x"})
    assert (reply.status_code, reply.json()["errorCode"]) == (400, "E1003")
    sandbox.world.version = "2.41.9.1"
    assert get("organisationUnits", params={"filter": "children:!empty"}).status_code == 400
    sandbox.world.version = "2.42.5.2"
    assert get("organisationUnits", params={"filter": "children:!empty"}).status_code == 200


def test_org_units_by_level_and_subtree(sandbox: Sandbox, get: Get) -> None:
    facilities = get("organisationUnits", params={"level": 6, "paging": "false", "fields": ":all"}).json()
    units = facilities["organisationUnits"]
    assert len(units) == len(sandbox.world.facilities)
    assert any("code" not in u for u in units) or all(u["code"] for u in units)
    assert all(u["path"].endswith(u["id"]) for u in units)
    below = get(
        f"organisationUnits/{district('102')}",
        params={"includeDescendants": "true", "paging": "false", "fields": "id,level,path"},
    ).json()["organisationUnits"]
    assert {u["level"] for u in below} == {3, 4, 5, 6}
    missing = get("organisationUnits/FAKEorgunit")
    assert (missing.status_code, missing.json()["errorCode"]) == (404, "E1005")


def test_group_sets_give_type_and_ownership(get: Get) -> None:
    sets = get("organisationUnitGroupSets", params={"fields": "name,organisationUnitGroups[id,name]"}).json()
    assert {s["name"] for s in sets["organisationUnitGroupSets"]} == {"Facility type", "Ownership"}
    groups = get(
        "organisationUnitGroups", params={"fields": "name,groupSets[id],organisationUnits[id]", "paging": "false"}
    ).json()["organisationUnitGroups"]
    assert any(not g["groupSets"] for g in groups)
    assert sum(len(g["organisationUnits"]) for g in groups) > 100


def test_default_option_combo_is_found_by_name(get: Get) -> None:
    body = get("categoryOptionCombos", params={"filter": "name:eq:default", "fields": "id"}).json()
    assert [o["id"] for o in body["categoryOptionCombos"]] == ["BNTdWBe0N1F"]


def test_a_rename_and_a_move_show_in_the_metadata(sandbox: Sandbox, get: Get) -> None:
    facility = next(f for f in sandbox.world.facilities if f.type == "HC")
    old = facility.name
    sandbox.world.rename_facility(facility.uid, "Renamed HC")
    found = get(f"organisationUnits/{facility.uid}", params={"fields": "name,lastUpdated"}).json()
    assert found == {"name": "Renamed HC", "lastUpdated": "2026-09-15T12:00:00.000"}
    sandbox.world.rename_facility(facility.uid, old)


@pytest.mark.parametrize("version", VERSIONS)
def test_csv_is_the_truth_in_every_version(sandbox: Sandbox, values: Get, version: str) -> None:
    sandbox.world.version = version
    reply = values(headers=CSV, format="csv")
    assert reply.headers["content-type"].startswith("application/csv")
    assert reply.content.startswith(CSV_HEADER)
    frame = read(reply)
    assert raw(frame).equals(here(sandbox))
    assert frame.columns == COLUMNS
    unset = None if version.startswith("2.43") else "null"
    assert frame["deleted"].unique().to_list() == [unset]


def test_a_whole_country_month_survives_its_commas_and_newlines(sandbox: Sandbox, values: Get) -> None:
    reply = values(format="csv", orgUnit=geography.COUNTRY.uid, includeDeleted="true")
    assert raw(read(reply)).equals(sandbox.world.truth(MAY))
    assert reply.content.count(b"\n") > sandbox.world.truth(MAY).height + 1


def test_accept_header_counts_up_to_242_only(sandbox: Sandbox, values: Get) -> None:
    assert values(headers=CSV).headers["content-type"].startswith("application/csv")
    sandbox.world.version = "2.43.1"
    assert values(headers=CSV).headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("version", VERSIONS)
def test_json_rows(sandbox: Sandbox, values: Get, version: str) -> None:
    sandbox.world.version = version
    body = values(format="json").json()
    rows = body["dataValues"]
    assert len(rows) == here(sandbox).height
    hoisted = version.startswith("2.43")
    assert body.get("period") == (MONTH if hoisted else None)
    assert all(("period" in row) != hoisted for row in rows)
    assert all(("comment" in row) or hoisted for row in rows)
    assert all(row["lastUpdated"].endswith("+0000") for row in rows)
    assert all(isinstance(row["value"], str) and row["followup"] in (True, False) for row in rows)
    assert not any("deleted" in row for row in rows)
    if not hoisted:
        assert set(rows[0]) == {
            "dataElement", "period", "orgUnit", "categoryOptionCombo", "attributeOptionCombo", "value",
            "storedBy", "created", "lastUpdated", "comment", "followup",
        }  # fmt: skip


def test_single_keys_go_to_the_root(sandbox: Sandbox, values: Get) -> None:
    facility = next(f.uid for f in sandbox.world.facilities if f.type == "HC")
    single = {"orgUnit": facility, "children": None, "dataSet": catalogue.data_set_uid("HC_MONTHLY")}
    old = values(**single).json()
    assert {"dataSet", "period", "orgUnit", "dataValues"} <= set(old) <= {
        "dataSet", "completeDate", "period", "orgUnit", "dataValues",
    }  # fmt: skip
    assert old["dataValues"][0]["orgUnit"] == facility
    sandbox.world.version = "2.43.1"
    new = values(**single).json()
    assert new["orgUnit"] == facility
    assert not {"orgUnit", "period"} & set(new["dataValues"][0])
    assert len(new["dataValues"]) == len(old["dataValues"])


@pytest.mark.real
def test_json_rows_have_the_keys_of_a_real_server(sandbox: Sandbox, values: Get) -> None:
    file = RECORDED / "dataValueSets_single_dataset_period_orgunit_v40.json"
    if not file.exists():
        pytest.skip("recorded responses are not here")
    recorded = json.loads(file.read_text())
    hospital = next(f.uid for f in sandbox.world.facilities if f.type == "DH")
    ours = values(orgUnit=hospital, children=None, dataSet=catalogue.data_set_uid("DH_MONTHLY")).json()
    assert list(ours) == list(recorded)
    assert list(ours["dataValues"][0]) == list(recorded["dataValues"][0])


def test_rows_have_no_order_before_243_and_one_since(sandbox: Sandbox, values: Get) -> None:
    old = read(values(headers=CSV))
    assert old.rows() == read(values(headers=CSV)).rows()
    assert not old["lastupdated"].is_sorted()
    sandbox.world.version = "2.43.1"
    rows = values(format="json").json()["dataValues"]
    assert [r["created"] for r in rows] == sorted(r["created"] for r in rows)


def test_empty_results(values: Get, get: Get) -> None:
    assert values(period="203001").json() == {"dataValues": []}
    assert values(period="203001", format="csv").content == CSV_HEADER
    params = {"dataSet": catalogue.data_set_uid("HC_MONTHLY"), "period": "203001", "orgUnit": district("102")}
    assert get("completeDataSetRegistrations", params=params | {"children": "true"}).json() == {}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"dataSet": None}, "E2001"),
        ({"dataSet": "unknownUid1"}, "E2001"),
        ({"period": None}, "E2002"),
        ({"period": None, "startDate": "2026-01-01"}, "E2002"),
        ({"period": None, "startDate": "2026-03-01", "endDate": "2026-01-01"}, "E2004"),
        ({"period": None, "lastUpdatedDuration": "P1D"}, "E2005"),
        ({"orgUnit": None}, "E2006"),
        ({"orgUnit": "unknownUid1"}, "E2006"),
        ({"orgUnitGroup": "anything1234"}, "E2007"),
        ({"limit": -1}, "E2009"),
    ],
)
def test_illegal_queries_are_conflicts(values: Get, changes: dict[str, Any], code: str) -> None:
    reply = values(**changes)
    assert reply.status_code == 409
    body = reply.json()
    assert (body["httpStatusCode"], body["status"], body["errorCode"]) == (409, "ERROR", code)


def test_period_wins_over_dates_until_243_refuses_both(sandbox: Sandbox, values: Get) -> None:
    both = {"startDate": "2026-01-01", "endDate": "2026-02-28", "format": "csv"}
    assert set(read(values(**both))["period"]) == {MONTH}
    sandbox.world.version = "2.43.1"
    assert values(**both).json()["errorCode"] == "E2003"


def test_dates_select_whole_periods_only(values: Get) -> None:
    found = read(values(period=None, startDate="2026-03-02", endDate="2026-06-29", format="csv"))
    assert set(found["period"]) == {"202604", "202605"}
    year = read(values(period=None, startDate="2025-01-01", endDate="2025-12-31", format="csv"))
    assert set(year["period"]) >= {"2025", "202501", "202512"}
    assert read(values(period="2025", format="csv")).height > 10


@pytest.mark.parametrize(
    ("version", "refused"), [("2.42.5.2", False), ("2.43.0", True), ("2.43.1", True), ("2.43.2", False)]
)
def test_last_updated_alone(sandbox: Sandbox, values: Get, version: str, refused: bool) -> None:
    sandbox.world.version = version
    reply = values(period=None, lastUpdated="2026-09-01")
    assert (reply.status_code == 409) == refused
    if refused:
        assert reply.json()["errorCode"] == "E2002"
    windowed = values(period=None, lastUpdated="2026-09-01", startDate="1970-01-01", endDate="2100-12-31")
    assert windowed.status_code == 200


def test_last_updated_is_inclusive_and_finds_every_change() -> None:
    world = World(scale=0.01, version="2.43.2", first_month=date(2025, 9, 1))
    with running_sandbox(world=world) as sandbox:
        before = world.now
        world.advance(days=2)
        edited = world.edit_values(date(2025, 10, 1), fraction=0.0001)
        deleted = world.delete_values(MAY, fraction=0.0001)
        params = {
            "dataSet": [catalogue.data_set_uid(code) for code in catalogue.DATA_SETS],
            "orgUnit": geography.COUNTRY.uid,
            "children": "true",
            "format": "csv",
            "startDate": "1970-01-01",
            "endDate": "2100-12-31",
            "includeDeleted": "true",
        }
        headers = {"Authorization": f"ApiToken {sandbox.token}"}
        stamp = (before + timedelta(days=2)).isoformat()
        url = f"{sandbox.url}/api/dataValueSets"
        exact = read(requests.get(url, params=params | {"lastUpdated": stamp}, headers=headers, timeout=20))
        assert exact.height == edited.height + deleted.height
        assert exact.filter(pl.col("deleted") == "true").height == deleted.height
        since = read(
            requests.get(url, params=params | {"lastUpdated": before.isoformat()}, headers=headers, timeout=20)
        )
        whole = read(requests.get(url, params=params, headers=headers, timeout=60))
        limit = "2026-09-15T10:00:00.000+0000"
        assert since.height == whole.filter(pl.col("lastupdated") >= limit).height > exact.height


@pytest.mark.parametrize(("timezone", "extra_hours"), [("Africa/Kigali", 2), ("America/New_York", -4)])
def test_time_zone_defect_moves_the_threshold(timezone: str, extra_hours: int) -> None:
    with running_sandbox(scale=0.02, timezone=timezone, version="2.42.5.2") as sandbox:
        world = sandbox.world
        world.edit_values(MAY, fraction=0.0001)
        local = world.now.astimezone(world.timezone)
        params = {
            "dataSet": [catalogue.data_set_uid("HC_MONTHLY")],
            "orgUnit": geography.COUNTRY.uid,
            "children": "true",
            "format": "csv",
            "period": MONTH,
        }

        def rows_since(moment: datetime) -> int:
            asked = params | {"lastUpdated": moment.strftime("%Y-%m-%dT%H:%M:%S")}
            headers = {"Authorization": f"ApiToken {sandbox.token}"}
            return read(
                requests.get(f"{sandbox.url}/api/dataValueSets", params=asked, headers=headers, timeout=20)
            ).height

        edge = local + timedelta(hours=extra_hours)
        assert rows_since(edge) > rows_since(edge + timedelta(seconds=1)) == 0


def test_deleted_rows_only_when_asked_for(values: Get) -> None:
    country = {"orgUnit": geography.COUNTRY.uid, "period": [MONTH, "202601"]}
    without = read(values(format="csv", **country))
    with_ = read(values(format="csv", includeDeleted="true", **country))
    stones = with_.filter(pl.col("deleted") == "true")
    assert stones.height == with_.height - without.height > 0
    assert stones["value"].null_count() == 0
    rows = [r for r in values(includeDeleted="true", **country).json()["dataValues"] if "deleted" in r]
    assert len(rows) == stones.height
    assert all(r["deleted"] is True for r in rows)


def test_unknown_parameters_and_ids_are_ignored(sandbox: Sandbox, values: Get) -> None:
    everything = read(values(format="csv"))
    assert read(values(format="csv", paging="false", foo="bar")).height == everything.height
    assert read(values(format="csv", orgUnit=[district("102"), "unknownUid1"])).height == everything.height
    assert read(values(format="csv", limit=10)).height == 10
    sandbox.world.version = "2.43.1"
    assert values(format="csv", orgUnit=[district("102"), "no uid"]).status_code == 400


@pytest.mark.parametrize("version", ["2.38.7", "2.43.1"])
def test_registrations(sandbox: Sandbox, get: Get, version: str) -> None:
    sandbox.world.version = version
    sets = [catalogue.data_set_uid(code) for code in catalogue.MONTHLY]
    params = {"dataSet": sets, "period": MONTH, "orgUnit": geography.COUNTRY.uid, "children": "true"}
    rows = get("completeDataSetRegistrations", params=params).json()["completeDataSetRegistrations"]
    truth = sandbox.world.truth_registrations(MAY)
    assert len(rows) == truth.height
    assert {"period", "dataSet", "organisationUnit", "attributeOptionCombo", "date", "completed"} <= set(rows[0])
    assert {(r["dataSet"], r["organisationUnit"], r["date"]) for r in rows} == set(
        truth.select("data_set", "org_unit", "date").rows()
    )
    created = {k: v for k, v in params.items() if k != "period"} | {"created": "2026-09-01"}
    recent = get("completeDataSetRegistrations", params=created).json()["completeDataSetRegistrations"]
    assert recent
    assert min(r["date"] for r in recent) >= "2026-09-01"
    del created["created"]
    assert get("completeDataSetRegistrations", params=created).json()["errorCode"] == "E2002"
    del params["dataSet"]
    assert get("completeDataSetRegistrations", params=params).json()["errorCode"] == "E2013"


def test_requests_at_once_get_what_requests_in_turn_get(sandbox: Sandbox, values: Get) -> None:
    codes = ["101", "102", "201", "305", "403", "507"]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda code: values(format="csv", orgUnit=district(code)).content, codes))
    assert together == [values(format="csv", orgUnit=district(code)).content for code in codes]
    assert len({r.query for r in sandbox.requests}) == len(codes)


def test_same_value_through_two_data_sets(values: Get) -> None:
    bcg = catalogue.by_code()["EPI_BCG"].uid
    keys = []
    for code in ("EPI_MONTHLY", "DH_MONTHLY"):
        frame = read(values(format="csv", dataSet=catalogue.data_set_uid(code)))
        keys.append(set(frame.filter(pl.col("dataelement") == bcg).select(COLUMNS[:6]).rows()))
    assert keys[0] == keys[1]
    assert keys[0]


def test_gzip_and_suffixes(get: Get, values: Get) -> None:
    plain = values(format="csv").content
    assert gzip.decompress(values(format="csv", compression="gzip").content) == plain
    params = {"dataSet": catalogue.data_set_uid("HC_MONTHLY"), "period": MONTH, "orgUnit": district("102")}
    assert get("dataValueSets.csv", params=params).content == CSV_HEADER
    assert "organisationUnits" in get("organisationUnits.json", params={"pageSize": 1}).json()
    assert get("40/system/info").status_code == 200
    assert get("nothing").status_code == 404
