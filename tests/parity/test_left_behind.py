"""Which partitions are loaded again because one pipeline was left behind by the other, and which are not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from pg_servers import rows

from hic_assets.parity.compare import compare
from hic_assets.parity.cutover import cut_over
from hic_assets.sensors.tracker_stale import AT_ONCE, left_behind
from hic_assets.systems.declare import Pipeline
from hic_assets.warehouse import Warehouse
from parity.builders import (
    EVENTS,
    HIV,
    HIV_TRACKER,
    LATER,
    LEGACY,
    READ,
    UNIFIED,
    WEEK,
    changed,
    hold,
    hold_week,
    records,
)

NEXT = WEEK + timedelta(days=7)
OTHER = {LEGACY: UNIFIED, UNIFIED: LEGACY}
LONG_AFTER = READ + timedelta(days=9)


@pytest.fixture(autouse=True)
def server(tracker: Warehouse) -> Iterator[None]:
    """One that has the old endpoints."""
    rows(
        tracker,
        """insert into ops.source_system (system, system_id, url, version)
           values ('hiv_tracker', 'x', 'http://x', '2.41.9')""",
    )
    yield
    rows(tracker, "delete from ops.source_system")


def days(warehouse: Warehouse, *, tried: timedelta = timedelta(days=2)) -> list[date]:
    """What is left behind, when all loads so far were begun so long ago."""
    rows(warehouse, "update ops.load set started_at = now() - %s", (tried,))
    return sorted(left_behind(warehouse, HIV_TRACKER).get(HIV, ()))


def hold_apart(warehouse: Warehouse, old: Pipeline, *, late: int = 1, partition: date = WEEK) -> None:
    """A table whose one side was read nine days before the other, and compared."""
    hold(warehouse, old, records(5), partition=partition)
    there = changed(records(5), range(late), status="ACTIVE", updated_at=LATER)
    hold(warehouse, OTHER[old], there, partition=partition, read_at=LONG_AFTER)
    compare(warehouse, HIV, EVENTS, partition)


@pytest.mark.parametrize("old", [LEGACY, UNIFIED])
def test_a_side_that_is_older_and_lacks_changes(tracker: Warehouse, old: Pipeline) -> None:
    hold_week(tracker, NEXT)
    hold_apart(tracker, old)
    assert days(tracker) == [WEEK]


def test_a_legacy_load_that_failed_while_unified_went_on(tracker: Warehouse) -> None:
    """A failed load leaves its table's comparison undone too."""
    hold_week(tracker, WEEK)
    hold(tracker, UNIFIED, records(3), read_at=LONG_AFTER)
    assert days(tracker) == [WEEK]


def test_equal_tables_are_left_alone_however_far_apart_they_were_read(tracker: Warehouse) -> None:
    hold_apart(tracker, LEGACY, late=0)
    assert days(tracker) == []


def test_not_again_within_a_day_of_the_last_try(tracker: Warehouse) -> None:
    hold_apart(tracker, LEGACY)
    assert days(tracker, tried=timedelta(hours=23)) == []
    assert days(tracker, tried=timedelta(hours=25)) == [WEEK]


def failed(warehouse: Warehouse, table: str, partition: date) -> None:
    rows(
        warehouse,
        """insert into ops.load (system, table_name, partition_key, window_start, window_end, status, error)
           values ('hiv_tracker', %s, %s, %s, %s, 'failed', 'ServerFault')""",
        (table, partition.isoformat(), partition, partition + timedelta(days=7)),
    )


def test_a_first_load_that_failed_is_tried_again_one_that_was_never_tried_is_not(tracker: Warehouse) -> None:
    for partition in (WEEK, NEXT):
        hold(tracker, UNIFIED, records(3), partition=partition)
    assert days(tracker) == []
    failed(tracker, "events", NEXT)
    assert days(tracker) == [NEXT]


def test_not_where_the_server_has_no_endpoints_for_legacy(tracker: Warehouse) -> None:
    hold_apart(tracker, LEGACY)
    rows(tracker, "update ops.source_system set version = '2.42.5.2'")
    assert days(tracker) == []


def test_not_after_the_sign_off(tracker: Warehouse) -> None:
    hold_apart(tracker, LEGACY)
    cut_over(tracker, "hiv", "A. Keza", force=True, reason="a test")
    assert days(tracker) == []


def test_not_without_a_legacy_pipeline(tracker: Warehouse) -> None:
    hold_apart(tracker, LEGACY)
    rows(tracker, "update ops.programme set legacy = false")
    assert days(tracker) == []


def test_never_many_at_once_and_those_first_that_have_waited_longest(tracker: Warehouse) -> None:
    weeks = [WEEK + timedelta(days=7 * n) for n in range(AT_ONCE + 2)]
    for week in weeks:
        hold_apart(tracker, LEGACY, partition=week)
    assert days(tracker) == weeks[2:]
    rows(
        tracker,
        "update ops.load set started_at = started_at - interval '1 hour' where window_start = any(%s)",
        (weeks[:AT_ONCE],),
    )
    assert sorted(left_behind(tracker, HIV_TRACKER)[HIV]) == weeks[:AT_ONCE]
