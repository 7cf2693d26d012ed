"""What sources tell of persons, put where dbt's view of it is: for tests of identity resolution on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
from linkage.made import records
from pg_servers import rows
from psycopg import sql

from hic_assets.identity.resolve import Resolved, resolve
from hic_assets.identity.tables import RECORD_COLUMNS
from hic_assets.landing.copy import copy_into
from hic_assets.linkage.schema import RECORDS
from hic_assets.prepare import prepare
from hic_assets.warehouse import Warehouse

KEY = b"a key of pseudonyms that is for tests"
POPULATION = 300_000
STRANGER = {"surname": "Bizimana", "given_name": "Eric", "birth_date": date(1971, 11, 23), "sector": "Kimironko"}
NID = "1198580012345067"


def tell(warehouse: Warehouse, told: pl.DataFrame | Sequence[dict[str, Any]]) -> None:
    """Sources tell this now, and nothing else: rows of `linkage.made.records`, or a frame."""
    frame = told if isinstance(told, pl.DataFrame) else records(*told)
    with warehouse.connect() as connection:
        connection.execute("drop table if exists identity.person_record")
        connection.execute(f"create table identity.person_record ({RECORD_COLUMNS})".encode())
        with copy_into(connection, sql.Identifier("identity", "person_record"), tuple(RECORDS)) as copy:
            copy.write(frame)


def run(warehouse: Warehouse, *told: dict[str, Any], **options: Any) -> Resolved:
    """Sources tell this (or, where it is nothing, what they told before), and a run follows."""
    if told:
        tell(warehouse, told)
    return resolve(warehouse, KEY, population=POPULATION, **options)


def prepared(warehouse: Warehouse) -> Warehouse:
    """With the tables of a warehouse before anything is loaded."""
    with warehouse.connect(autocommit=True) as connection:
        prepare(connection)
    return warehouse


def persons(warehouse: Warehouse) -> dict[str, str]:
    """record_id -> person_key."""
    return dict(rows(warehouse, "select record_id, person_key from identity.assignment"))


def together(warehouse: Warehouse) -> set[frozenset[str]]:
    """Which records are of one person."""
    found = rows(warehouse, "select array_agg(record_id) from identity.assignment group by person_key")
    return {frozenset(ids) for (ids,) in found}


def events(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    """run, event, person_key, other_key, records."""
    return rows(
        warehouse, "select run, event, person_key, other_key, records from identity.person_event order by run, event"
    )
