"""Marks planted in the raw tables wherever a person, or who treats or enters one, could be told: to be looked for in marts.

Belongs here: planting. Does not: who may read what (the tests say that).
"""

from __future__ import annotations

import json
from typing import Any

import psycopg
from psycopg import sql
from small_country import JAN
from tracker_rows import LEGACY, UNIFIED, put

from hic_assets.assets.dbt import manifest_path
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.landing.table import Column, Table
from hic_assets.systems import PROGRAMMES, SYSTEMS
from hic_assets.systems.mapping import HEALTH

MARK = "zzqzzq"
"""Also a part of it is known again, and in whatever case: a name may be cut, or its letters made small."""

RECORDS = (
    *("tracked_entity", "tracked_entity_instance", "enrollment", "event", "visit_id", "lab_order_id", "encounter_id"),
    *(
        "referral_id",
        "pregnancy_id",
        "patient_id",
        "anc_contact_id",
        "delivery_id",
        "newborn_id",
        "postnatal_contact_id",
    ),
    *("case_id", "household_id"),
)
"""A source's own numbers of persons and of their records."""

_OBJECTS = ("attributes", "data_values")


def plant(connection: psycopg.Connection[Any], facility: str) -> int:
    """A row where a table of persons has none, then the marks; gives in how many columns."""
    for programme in PROGRAMMES:
        for pipeline in (LEGACY, UNIFIED) if programme.legacy else (UNIFIED,):
            who, where = {"tracked_entity": "te", "org_unit": facility}, {"pipeline": pipeline, "partition": JAN}
            enrolled = {**who, "enrollment": "en", "enrolled_at": f"{JAN}T10:00:00", "status": "ACTIVE"}
            happened = {
                **who,
                "enrollment": "en",
                "event": "ev",
                "occurred_at": f"{JAN}T10:00:00",
                "status": "COMPLETED",
            }
            put(connection, programme, Kind.TRACKED_ENTITIES, [{**who, "attributes": {}}], **where)
            put(connection, programme, Kind.ENROLLMENTS, [enrolled], **where)
            put(connection, programme, Kind.EVENTS, [{**happened, "program_stage": "st", "data_values": {}}], **where)
    tables = [feed.table for system in SYSTEMS for feed in system.feeds]
    return sum(_mark(connection, table, column) for table in tables for column in table.columns if _tells(column))


def _tells(column: Column) -> bool:
    """Whether a column is marked as telling of a person. Health data are what facts are made of, but for free text in them."""
    if column.name in (*RECORDS, *_OBJECTS):
        return True
    return (
        column.sensitive is not None and column.sensitive != HEALTH and column.name not in ("date_of_birth", "born_at")
    )


def _mark(connection: psycopg.Connection[Any], table: Table, column: Column) -> int:
    mark = f"{MARK} {table.relation} {column.name} {MARK}"
    name, target = sql.Identifier(column.name), sql.Identifier("raw", table.relation)
    if column.name in _OBJECTS:
        value: sql.Composable = sql.Literal(json.dumps(dict.fromkeys(_fields(table), mark)))
    elif column.name in RECORDS:
        value = sql.SQL("{} || {}").format(sql.Literal(MARK), name)
    elif column.name == "geometry":
        value = sql.Literal(json.dumps({"type": mark}))
    elif column.json:
        item = {"code": None, "label": mark, "test_code": None, "value_text": mark}
        value = sql.Literal(json.dumps([item]))
    else:
        value = sql.Literal(mark)
    if column.name not in table.column_names or column.name == table.updated_column:
        return 0
    done = connection.execute(sql.SQL("update {} set {} = {}").format(target, name, value))
    return int(done.rowcount > 0)


def _fields(table: Table) -> list[str]:
    """Fields of a tracker table that tell of a person, by uid; of free text and of those without a column yet too."""
    nodes = json.loads(manifest_path().read_text())["nodes"].values()
    programme = next(p for p in PROGRAMMES if table.relation.removeprefix("u_").startswith(f"{p.tables}_"))
    kind = table.relation.removeprefix("u_").removeprefix(f"{programme.tables}_")
    staged = next(n for n in nodes if n["name"] == f"stg_{programme.name}__{kind}")
    metas = [column["config"].get("meta", {}) for column in staged["columns"].values()]
    told = [m["dhis2"] for m in metas if "dhis2" in m and (m.get("sensitive") != HEALTH or m["cast"] == "text")]
    return [*told, "unknownUid1"]
