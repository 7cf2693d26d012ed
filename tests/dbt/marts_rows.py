"""How rows of facts are made by hand, for tests of the programme marts.

Belongs here: making a row. Does not belong here: which there are (``marts_doses``, ``marts_births`` and others).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg import sql
from small_country import BUGESERA, COUNTRY, EAST, GASABO, KIBAGABAGA, KIGALI, NYAMATA, REMERA

Row = dict[str, Any]
LEVELS = {COUNTRY: "country", KIGALI: "province", EAST: "province", GASABO: "district", BUGESERA: "district"}
ABOVE = {KIBAGABAGA: (GASABO, KIGALI), REMERA: (GASABO, KIGALI), NYAMATA: (BUGESERA, EAST)}


def key(*words: object) -> str:
    """A pseudonym: the same for the same words."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, repr(words)))


def monday(day: str) -> str:
    """The Monday of a day's week."""
    when = date.fromisoformat(day)
    return (when - timedelta(days=when.weekday())).isoformat()


def months(day: str, number: int) -> str:
    """The first day of the month so many months after the month of a day."""
    when = date.fromisoformat(day)
    total = when.year * 12 + when.month - 1 + number
    return f"{total // 12}-{total % 12 + 1:02d}-01"


def dose(child: str, code: str, day: str, unit: str = KIBAGABAGA, **more: Any) -> Row:
    """A dose given on a day."""
    return {
        "dose_key": key("dose", child, code, day),
        "event_key": key("visit", child, day),
        "patient_source_key": key("child", child),
        "vaccine_code": code.rstrip("0123456789"),
        "dose_code": code,
        "source_code": f"IMM_{code}",
        "org_unit_uid": unit,
        "facility_uid": unit if unit in ABOVE else None,
        "given_on": day,
        "week_start": monday(day),
        "load_id": 1,
        **more,
    }


def birth(uid: str, source: str, day: str, unit: str | None, **more: Any) -> Row:
    """A live birth that a source knows of."""
    return {
        "birth_key": key(source, uid),
        "source": source,
        "org_unit_uid": unit,
        "facility_uid": unit if unit in ABOVE else None,
        "birth_date": day,
        "place": "FACILITY",
        "outcome": "LIVE",
        "week_start": monday(day),
        "load_id": 1,
        **more,
    }


def measured(measure: str, month: str, values: dict[str, float]) -> Iterator[Row]:
    """A measure of the HMIS at facilities, and what it adds up to above them."""
    totals: dict[str, float] = {}
    for unit, value in values.items():
        for place in (unit, *ABOVE[unit], COUNTRY):
            totals[place] = totals.get(place, 0) + value
    for place, value in totals.items():
        level = LEVELS.get(place, "facility")
        yield {
            "period_start": month,
            "measure_code": measure,
            "org_unit_uid": place,
            "level": level,
            "value": value,
            "is_estimated": False,
        }


def loaded(connection: psycopg.Connection[Any], system: str, table: str, partitions: Iterable[str]) -> None:
    """Say in the ledger that weeks or months of a raw table are loaded."""
    for partition in partitions:
        connection.execute(
            "insert into ops.load (load_id, system, table_name, partition_key, window_start, window_end, status, is_current,"
            " finished_at) overriding system value select coalesce(max(load_id), 0) + 1, %s, %s, %s, %s::date, %s::date + 7,"
            " 'committed', true, '2024-12-01 06:00+00' from ops.load",
            [system, table, partition, partition, partition],
        )


def mondays(first: str, last: str) -> list[str]:
    """Every Monday from one to another."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [(start + timedelta(weeks=n)).isoformat() for n in range((end - start).days // 7 + 1)]


def put(connection: psycopg.Connection[Any], table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Rows into a fact as they are told; what is not told is NULL."""
    for row in rows:
        names = sql.SQL(", ").join(map(sql.Identifier, row))
        places = sql.SQL(", ").join(sql.Placeholder() * len(row))
        into = sql.SQL("insert into {} ({}) values ({})").format(sql.Identifier(*table.split(".")), names, places)
        connection.execute(into, list(row.values()))
