"""How long the questions of docs/queries.md take on the warehouse as it is filled; nothing is loaded for it.

Belongs here: asking them, and telling on how many rows. Two warehouses of different size say how the time grows.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from hic_assets.bench.questions import Question, questions
from hic_assets.warehouse import Warehouse

SLOWEST = 8
"""Questions that get a line of their own."""

_ROWS = """
select coalesce(sum(n_live_tup), 0)::bigint as rows from pg_stat_user_tables where schemaname = 'dwh'
"""


def measure(warehouse: Warehouse, repeats: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """A line of all, then the slowest. Seconds are medians of ``repeats`` after one that is not counted; rows are all of ``dwh``."""
    with warehouse.connect() as connection:
        if connection.execute("select to_regclass('reporting.rpt_core_indicators') is null").fetchone() == (True,):
            return [{"question": "no marts in this warehouse: run 'hic demo' first", "seconds": None, "rows_in_dwh": 0}]
    asked = questions()
    taken = []
    for one in asked:
        say(one.heading)
        taken.append((_seconds(warehouse, one, repeats), one))
    slowest = sorted(taken, key=lambda pair: pair[0], reverse=True)
    with warehouse.connect() as connection:
        (rows,) = connection.execute(_ROWS).fetchone() or (0,)
    seconds = [pair[0] for pair in taken]
    return [
        _line(f"all {len(asked)}, median", statistics.median(seconds), rows),
        _line(f"of them {sum(one < 1 for one in seconds)} under a second; the slowest", max(seconds), rows),
        *(_line(one.heading, took, rows) for took, one in slowest[:SLOWEST]),
    ]


def _seconds(warehouse: Warehouse, question: Question, repeats: int) -> float:
    taken = []
    with warehouse.connect() as connection:
        connection.execute("set transaction read only")
        for _ in range(repeats + 1):
            began = time.perf_counter()
            connection.execute(question.sql.encode()).fetchall()
            taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:])


def _line(question: str, seconds: float, rows: int) -> dict[str, Any]:
    return {"question": question, "seconds": round(seconds, 3), "rows_in_dwh": rows}
