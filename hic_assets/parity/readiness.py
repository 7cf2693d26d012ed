"""Whether a programme is ready, and how its partitions stand: reading the views, with names for their columns.

Belongs here: reading. Does not: the judgement itself (``cutover_readiness.sql``, which dashboards read too), deciding
(``cutover``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, dict_row


@dataclass(frozen=True)
class Readiness:
    """How a programme stands: a row of ``ops.cutover_readiness``.

    ``ready``: its latest ``needed`` partitions are clean in a row, no older one is known to differ, and none is held by the
    legacy tables alone (``legacy_only_partitions``); otherwise ``reasons`` say exactly why not. ``match_rate``: share of records equal on both sides in these partitions,
    ``match_rates`` by partition. ``open_differences``: in all partitions beyond the tolerance.
    """

    programme: str
    pipeline: str
    ready: bool
    clean_in_a_row: int
    needed: int
    latest_partition: date | None
    match_rate: float | None
    match_rates: Mapping[str, float]
    open_differences: int
    open_partitions: Sequence[date]
    reasons: Sequence[str]
    legacy_only_partitions: Sequence[date]


def readiness(connection: Connection[Any], programme: str | None = None) -> list[Readiness]:
    """Every programme, or one; programmes that are not declared are not there."""
    columns = ", ".join(f.name for f in fields(Readiness))
    query = f"""select {columns} from ops.cutover_readiness
                where %(programme)s::text is null or programme = %(programme)s order by programme"""
    cursor = connection.cursor(row_factory=class_row(Readiness))
    return cursor.execute(query.encode(), {"programme": programme}).fetchall()


def states(connection: Connection[Any], programme: str, latest: int | None = None) -> list[dict[str, Any]]:
    """How each table of a programme stands in each partition, newest first; ``latest``: only so many partitions."""
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            """select * from (
                 select s.*, dense_rank() over (order by partition_start desc) as back
                 from ops.parity_state s where programme = %(programme)s) x
               where %(latest)s::int is null or back <= %(latest)s order by partition_start desc, place""",
            {"programme": programme, "latest": latest},
        )
        .fetchall()
    )


def differences(connection: Connection[Any], parity_ids: Sequence[int], first: int) -> list[dict[str, Any]]:
    """The first samples of some results, a few of each class before more of any."""
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            """select p.partition_start::text as partition, p.kind as "table", d.class, d.record, d.field,
                      d.legacy_value as legacy, d.unified_value as unified, d.legacy_updated_at as legacy_changed,
                      d.unified_updated_at as unified_changed, d.other_partition
               from ops.parity_difference d join ops.parity p using (parity_id)
               where d.parity_id = any(%s)
               order by d.class = 'late', d.place, p.partition_start desc, p.kind, d.class limit %s""",
            (list(parity_ids), first),
        )
        .fetchall()
    )
