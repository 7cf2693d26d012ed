"""What the indicator tests share: uids, a connection to PostgreSQL, running compiled SQL."""

from __future__ import annotations

import os
from collections.abc import Sequence

import psycopg

from hic_assets.indicators import CompiledExpression

A, B, C, D = "AAAAAAAAAA1", "BBBBBBBBBB2", "CCCCCCCCCC3", "DDDDDDDDDD4"
IND, IND2, IND3 = "INDICATOR01", "INDICATOR02", "INDICATOR03"
PG_URL = os.environ.get("HIC_TEST_PG_URL", "postgresql://postgres@127.0.0.1:5432/test")


def de(uid: str) -> str:
    return f"#{{{uid}}}"


def run_sql(
    connection: psycopg.Connection, compiled: CompiledExpression, rows: Sequence[Sequence[float | None]], days: float
) -> list[float | None]:
    """The compiled SQL over rows of operand values, in row order."""
    columns = ["n", *(f"o{i}" for i in range(1, len(compiled.operands) + 1))]
    types = ["int", *(["float8"] * len(compiled.operands))]
    line = "(" + ", ".join(f"%s::{t}" for t in types) + ")"
    values = [value for n, row in enumerate(rows) for value in (n, *row[: len(compiled.operands)])]
    query = (
        f"select {compiled.sql} from (select *, {days!r}::float8 as days "
        f"from (values {', '.join([line] * len(rows))}) as r({', '.join(columns)})) as operands order by n"
    )
    return [row[0] for row in connection.execute(query.encode(), values)]
