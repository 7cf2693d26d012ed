"""Staging models of tracker programmes on PostgreSQL: casts, newest rows, the switch between pipelines, new fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import clinic
import pytest
from clinic import AUDITS, BORN, NAME, NEW_STAGE, SEX, STAGE, VISITS
from dbt_runner import PROJECT, Dbt
from pg_servers import fresh_database
from raw_tables import create_tables
from tracker_rows import LEGACY, UNIFIED, put, switch

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.staging.unknown import Unknown, unknown_fields
from hic_assets.warehouse import Warehouse

PEOPLE, ENROLLMENTS, EVENTS = Kind
WEEK, LATER_WEEK = "2026-06-29", "2026-07-06"


@pytest.fixture(scope="module")
def built(postgres_server: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dbt]:
    """The made-up tracker's views, on empty raw tables."""
    with fresh_database(postgres_server) as warehouse:
        with warehouse.connect() as connection:
            create_tables(connection)
            clinic.create(connection)
        project = clinic.copy_project(PROJECT, tmp_path_factory.mktemp("project") / "dbt_project")
        dbt = Dbt(warehouse, tmp_path_factory.mktemp("dbt"), project)
        dbt.run("run", "--select", "path:models/staging/clinic")
        yield dbt


@pytest.fixture
def dbt(built: Dbt) -> Iterator[Dbt]:
    """The views, with the raw tables emptied and the switch put back afterwards."""
    yield built
    with built.warehouse.connect() as connection:
        connection.execute("truncate ops.cutover")
        for feed in clinic.CLINIC.feeds:
            if feed.programme:
                connection.execute(f"truncate raw.{feed.table.relation}".encode())


def land(dbt: Dbt, kind: Kind, *rows: dict[str, Any], programme: Any = VISITS, **more: Any) -> None:
    with dbt.warehouse.connect() as connection:
        put(connection, programme, kind, rows, **{"pipeline": LEGACY, "partition": WEEK, **more})


def event(uid: str, **values: Any) -> dict[str, Any]:
    """An event as landed; `values` other than columns are data values."""
    columns = {
        "status",
        "occurred_at",
        "scheduled_at",
        "deleted",
        "updated",
        "program_stage",
        "completed_at",
        "geometry",
    }
    row = {k: v for k, v in values.items() if k in columns}
    data = {k: v for k, v in values.items() if k not in columns}
    return {"event": uid, "program_stage": STAGE, "deleted": "false", "data_values": data or None, **row}


def test_every_kind_of_field_is_typed_and_what_does_not_fit_is_null_and_kept(dbt: Dbt) -> None:
    good = {
        "DeNumber001": " 12.50 ",
        "DeInteger01": "12.0",
        "DeBoolean01": "TRUE",
        "DeTrueOnly1": "true",
        "DeDate00001": "2024-02-29",
        "DeDateTime1": "2026-06-30T23:59:01.250",
        "DeTime00001": "9:05",
        "DeText00001": "  two   words ",
        "DeLongText1": "two\n lines",
        "DeCoded0001": "000",
        "DeMulti0001": "000,101",
    }
    bad = {
        "DeNumber001": "1,5",
        "DeInteger01": "1.5",
        "DeBoolean01": "yes",
        "DeTrueOnly1": "1",
        "DeDate00001": "2023-02-29",
        "DeDateTime1": "abT99:99xxT10:15",
        "DeTime00001": "24:00",
        "DeText00001": "  ",
        "DeCoded0001": "999",
    }
    odd = {"DeDateTime1": "2026-06-30 07:08", "DeText00001": "\x00né \\u0000 \u2603", "DeNumber001": "NaN"}
    land(dbt, EVENTS, event("good", **good), event("bad", **bad), event("odd", **odd), event("none"))
    columns = (
        "number_of_x, integer_of_x, boolean_of_x, true_of_x, date_of_x::text, moment_of_x::text, time_of_x::text,"
        " text_of_x, note_of_x, site, sites_all"
    )
    found = {row[0]: row[1:] for row in dbt.query(f"select event_uid, {columns} from staging.stg_visits__events")}
    assert found["good"] == (
        *(12.5, 12, True, True, "2024-02-29", "2026-06-30 23:59:01.25", "09:05:00"),
        *("two words", "two\n lines", "000", "000,101"),
    )
    assert found["bad"] == (*[None] * 9, "999", None)
    assert found["odd"][5:8] == ("2026-06-30 07:08:00", None, "né \\u0000 ☃") and found["odd"][0] is None
    assert found["none"] == (None,) * 11
    kept = dbt.query("select data_values from staging.stg_visits__events where event_uid in ('bad', 'none') order by 1")
    assert kept == [(bad,), (None,)]

    results = dbt.run("test", "--select", "stg_visits__events", "stg_clinic__options")
    assert results["stg_visits__events_fields_hold"] == "warn"
    assert results["is_key_stg_visits__events_event_uid"] == "pass"
    compiled = next((dbt.target / "compiled").rglob("stg_visits__events_fields_hold.sql")).read_text()
    lost = {column: int(records) for column, _, records in dbt.query(compiled)}
    typed = ("integer_of_x", "boolean_of_x", "true_of_x", "date_of_x", "moment_of_x", "time_of_x")
    assert lost == {**dict.fromkeys(typed, 1), "number_of_x": 2, "site": 1}


def test_records_are_typed_and_named_alike_from_both_pipelines(dbt: Dbt) -> None:
    record = event(
        "e1",
        status="COMPLETED",
        occurred_at="2026-06-30T00:00:00.000",
        scheduled_at="2026-06-29T00:00:00.000",
        completed_at="2026-06-30T14:00:00.123",
        geometry={"type": "Point", "coordinates": [30.1, -1.9]},
    )
    due = event("e2", status="SCHEDULE", scheduled_at="2026-07-05T00:00:00.000")
    land(dbt, EVENTS, record, due, pipeline=LEGACY)
    land(dbt, EVENTS, record, due, pipeline=UNIFIED)
    query = (
        "select event_uid, program_stage, status, partition_start::text, event_day::text, occurred_date::text,"
        " scheduled_date::text, completed_at::text, geometry ->> 'type', follow_up, load_id, source_updated_at::text"
        " from staging.stg_visits__events order by 1"
    )
    expected = [
        (
            *("e1", "visit", "COMPLETED", WEEK, "2026-06-30", "2026-06-30", "2026-06-29"),
            *("2026-06-30 14:00:00.123", "Point", False, 1, "2026-06-29 12:00:00+00"),
        ),
        (
            "e2",
            "visit",
            "SCHEDULE",
            WEEK,
            "2026-07-05",
            None,
            "2026-07-05",
            None,
            None,
            False,
            1,
            "2026-06-29 12:00:00+00",
        ),
    ]
    assert dbt.query(query) == expected
    with dbt.warehouse.connect() as connection:
        switch(connection, VISITS, UNIFIED)
    assert dbt.query(query) == expected


def test_a_tracked_entity_is_its_newest_row_of_all_weeks_and_none_once_deleted(dbt: Dbt) -> None:
    def person(uid: str, name: str, updated: str, deleted: str = "false") -> dict[str, Any]:
        return {"tracked_entity": uid, "attributes": {NAME: name, SEX: "F"}, "updated": updated, "deleted": deleted}

    land(dbt, PEOPLE, person("p1", "old", "2026-07-01"), person("p2", "gone", "2026-07-01"), load_id=3)
    land(dbt, PEOPLE, person("p3", "tie lost", "2026-07-01"), load_id=3)
    land(dbt, PEOPLE, person("p1", "new", "2026-07-02"), partition=LATER_WEEK, load_id=2)
    land(dbt, PEOPLE, person("p2", "gone", "2026-07-03", "true"), partition=LATER_WEEK, load_id=2)
    land(dbt, PEOPLE, person("p3", "tie won", "2026-07-01"), partition=LATER_WEEK, load_id=4)
    found = dbt.query(
        "select tracked_entity_uid, name, sex, load_id from staging.stg_visits__tracked_entities order by 1"
    )
    assert found == [("p1", "new", "F", 2), ("p3", "tie won", "F", 4)]


def test_an_event_moved_to_another_week_counts_there_only(dbt: Dbt) -> None:
    """Its old week still holds it until that is loaded again."""
    land(dbt, EVENTS, event("e1", occurred_at="2026-07-05", updated="2026-07-05"))
    land(dbt, EVENTS, event("e1", occurred_at="2026-07-06", updated="2026-07-07"), partition=LATER_WEEK, load_id=2)
    found = dbt.query("select event_uid, event_day::text from staging.stg_visits__events")
    assert found == [("e1", "2026-07-06")]


def executed(dbt: Dbt, query: str) -> dict[str, int]:
    """Raw table -> how often its scans ran, in a query that was really executed."""
    ((plan,),) = dbt.query(f"explain (analyze, format json, costs off, timing off, summary off) {query}")
    loops: dict[str, int] = {}

    def walk(node: dict[str, Any]) -> None:
        if "Relation Name" in node:
            name = node["Relation Name"]
            loops[name] = loops.get(name, 0) + int(node["Actual Loops"])
        for child in node.get("Plans", []):
            walk(child)

    walk(plan[0]["Plan"])
    return {name: n for name, n in loops.items() if "clinic" in name}


@pytest.mark.parametrize("kind", list(Kind))
def test_the_switch_needs_no_dbt_run_and_the_other_pipeline_is_not_touched(dbt: Dbt, kind: Kind) -> None:
    key = {PEOPLE: "tracked_entity", ENROLLMENTS: "enrollment", EVENTS: "event"}[kind]
    land(dbt, kind, {key: "legacy"}, pipeline=LEGACY)
    land(dbt, kind, {key: "unified"}, pipeline=UNIFIED)
    view, table = f"staging.stg_visits__{kind.value}", f"clinic_visits_{kind.value}"
    queries = [f"select {key}_uid from {view}", f"select {key}_uid from {view} where load_id = 1 group by 1"]
    for chosen in (LEGACY, UNIFIED, LEGACY):
        with dbt.warehouse.connect() as connection:
            switch(connection, VISITS, chosen)
        other = table if chosen is UNIFIED else f"u_{table}"
        for query in queries:
            assert dbt.query(query) == [(chosen.value,)]
            ran = executed(dbt, query)
            assert ran.pop(other) == 0 and all(ran.values()) and len(ran) == 1


def test_a_filter_on_the_partition_reaches_the_index_of_the_raw_table(dbt: Dbt) -> None:
    query = f"select count(*) from staging.stg_visits__events where partition_start = '{WEEK}'"
    with dbt.warehouse.connect() as connection:
        connection.execute("set enable_seqscan = off")
        plan = connection.execute(f"explain (format json) {query}".encode()).fetchone()
    assert "clinic_visits_events_partition" in json.dumps(plan)


def test_a_programme_without_a_legacy_pipeline_reads_the_unified_tables(dbt: Dbt) -> None:
    land(dbt, ENROLLMENTS, {"enrollment": "a1", "enrolled_at": "2026-06-05"}, programme=AUDITS, pipeline=UNIFIED)
    assert dbt.query("select enrollment_uid, enrolled_date::text from staging.stg_audits__enrollments") == [
        ("a1", "2026-06-05")
    ]
    assert dbt.query("select to_regclass('raw.clinic_audits_enrollments')") == [(None,)]
    (definition,) = dbt.query("select pg_get_viewdef('staging.stg_audits__enrollments'::regclass)")
    assert "programme_source" not in definition[0]


def test_new_fields_and_stages_break_nothing_and_are_shown(dbt: Dbt) -> None:
    land(
        dbt,
        EVENTS,
        event("e1", DeText00001="known", DeNewField1="1"),
        event("e2", DeNewField1="2", DeNewField2="3", program_stage=NEW_STAGE),
        event("e3", DeNewField3="4", deleted="true"),
        pipeline=UNIFIED,
    )
    land(dbt, EVENTS, event("e4", DeNewField1="5"), pipeline=UNIFIED, partition=LATER_WEEK)
    land(
        dbt, PEOPLE, {"tracked_entity": "p1", "attributes": {BORN: "1990-01-01", "AttrNew0001": "x"}}, pipeline=UNIFIED
    )
    models = dbt.project / "models"
    assert unknown_fields(dbt.warehouse, VISITS, models=models) == [
        Unknown(PEOPLE, "attribute", "AttrNew0001", 1, 1),
        Unknown(EVENTS, "data element", "DeNewField1", 3, 2),
        Unknown(EVENTS, "data element", "DeNewField2", 1, 1),
        Unknown(EVENTS, "stage", NEW_STAGE, 1, 1),
    ]
    later = unknown_fields(dbt.warehouse, VISITS, [date(2026, 7, 6)], kind=EVENTS, models=models)
    assert later == [Unknown(EVENTS, "data element", "DeNewField1", 1, 1)]
    assert unknown_fields(dbt.warehouse, VISITS, pipeline=LEGACY, models=models) == []
    with dbt.warehouse.connect() as connection:
        switch(connection, VISITS, UNIFIED)
    found = dbt.query(
        "select event_uid, program_stage, data_values ->> 'DeNewField1' from staging.stg_visits__events order by 1"
    )
    assert found == [("e1", "visit", "1"), ("e2", None, "2"), ("e4", "visit", "5")]


def test_a_field_that_was_added_gets_a_column_and_the_view_stays_the_same_view(dbt: Dbt) -> None:
    oid = "select 'staging.stg_visits__events'::regclass::oid"
    before = dbt.query(oid)
    dbt.query("create view public.mine as select event_uid, site from staging.stg_visits__events")
    clinic.generate(dbt.project, clinic.registries(clinic.new_element("DeNewField1", "SITE")))
    dbt.run("run", "--select", "stg_visits__events")
    land(dbt, EVENTS, event("e1", DeNewField1="new", DeCoded0001="101"))
    assert dbt.query("select site, site_eld1 from staging.stg_visits__events") == [("101", "new")]
    assert dbt.query(oid) == before and dbt.query("select * from public.mine") == [("e1", "101")]
    assert unknown_fields(dbt.warehouse, VISITS, pipeline=LEGACY, models=dbt.project / "models") == []
