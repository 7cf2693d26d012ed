"""A country of a handful of weekly series, with outbreaks, as the alerts read it. For tests of alerts on a real database."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import numpy as np
from books import execute

from hic_assets.alerts.rules import SEED
from hic_assets.prepare import prepare
from hic_assets.warehouse import Warehouse

WEEKS = 170
LAST = date(2024, 5, 6)
FIRST = LAST - timedelta(weeks=WEEKS - 1)
LAST_TWO = [LAST - timedelta(weeks=1), LAST]
# Columns as dbt's reporting.rpt_idsr_weekly has them (tests/dbt/test_idsr_alerts.py holds the query to the model itself).
TABLES = """
create table reporting.rpt_idsr_weekly (
    disease_code text, district_code text, district_key text, week_start date, cases bigint, deaths bigint,
    facilities_reported bigint default 10, facilities_expected bigint default 10);
create table staging.idsr_alert_rule (
    disease_code text, rule_code text, method text, measure text, threshold double precision, weeks integer, note text);
create table staging.district (district_code integer, population_2022 integer);
insert into staging.district values (101, 300000), (102, 250000);
"""


def series(disease: str, district: str | None, cases: Iterable[float | None], key: str = "k") -> list[tuple[Any, ...]]:
    """Rows of the last weeks, as many as there are cases; None is a week without a report."""
    numbers = list(cases)
    first = LAST - timedelta(weeks=len(numbers) - 1)
    return [
        (disease, district, key, first + timedelta(weeks=i), n, None if n is None else 0)
        for i, n in enumerate(None if n is None else int(n) for n in numbers)
    ]


def report(warehouse: Warehouse, lines: Iterable[tuple[Any, ...]]) -> None:
    with warehouse.connect(autocommit=True) as connection, connection.cursor() as cursor:
        cursor.executemany("insert into reporting.rpt_idsr_weekly values (%s, %s, %s, %s, %s, %s)", list(lines))


def again(
    warehouse: Warehouse, week: date, cases: int | None, district: str = "101", disease: str = "MALARIA_SIMPLE"
) -> None:
    """The week landed again: another number."""
    with warehouse.connect(autocommit=True) as connection:
        connection.execute(
            """update reporting.rpt_idsr_weekly set cases = %s, deaths = %s
               where week_start = %s and district_code = %s and disease_code = %s""",
            (cases, None if cases is None else 0, week, district, disease),
        )


def make_country(warehouse: Warehouse) -> Warehouse:
    """Malaria with three years and more behind it, an outbreak in 101's last week; typhoid with half a year; VHF."""
    with warehouse.connect(autocommit=True) as connection:
        prepare(connection)
    execute(warehouse, TABLES)
    with SEED.open(newline="") as file, warehouse.connect(autocommit=True) as connection:
        connection.cursor().executemany(
            "insert into staging.idsr_alert_rule values (%s, %s, %s, %s, nullif(%s, '')::numeric, nullif(%s, '')::integer, %s)",
            list(csv.reader(file))[1:],
        )
    usual = np.random.default_rng(3).poisson(20, (2, WEEKS))
    report(warehouse, series("MALARIA_SIMPLE", "101", [*usual[0][:-1], 90]))
    report(warehouse, series("MALARIA_SIMPLE", "102", usual[1]))
    report(warehouse, series("TYPHOID", "101", [2, 3] * 12))
    report(warehouse, series("VHF", "102", [0, None]))
    return warehouse
