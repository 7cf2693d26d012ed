"""`reporting.tracker_cutover` and `reporting.tracker_parity`: what analysts are told of the change of pipelines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from dbt_runner import Dbt
from parity.builders import EVENTS, HIV_TRACKER, UNIFIED, WEEK, hold, hold_week, prepare, records, trusted
from pg_servers import fresh_database

from hic_assets.parity.cutover import cut_over, undo
from hic_assets.warehouse import Warehouse

MODELS = "tracker_cutover tracker_parity stg_ops__parity stg_ops__cutover_readiness stg_ops__cutovers"


@pytest.fixture(scope="module")
def built(postgres_server: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dbt]:
    """Three weeks compared, and the models built once with their tests: the views show what happens after it."""
    with fresh_database(postgres_server) as database:
        prepare(database, trusted(clean_partitions=2))
        for number in range(3):
            hold_week(database, WEEK + timedelta(days=7 * number), differ=[EVENTS] if number == 0 else [])
        dbt = Dbt(database, tmp_path_factory.mktemp("dbt"))
        dbt.run("build", "--select", *MODELS.split())
        yield dbt


def test_every_table_and_partition_is_a_row(built: Dbt) -> None:
    found = built.query(
        "select partition_start, table_name, state, differences, match_rate from reporting.tracker_parity"
        " where programme = 'hiv' order by 1, 2"
    )
    assert len(found) == 9
    assert found[1] == (WEEK, "events", "differs", 1, pytest.approx(2 / 3))
    assert {row[2:] for row in [found[0], *found[2:]]} == {("clean", 0, 1.0)}


def test_readiness_and_sign_off_as_they_change(built: Dbt) -> None:
    query = "select is_ready, reads_from, clean_in_a_row, open_differences, why_not_ready, signed_by, undone_by from reporting.tracker_cutover"
    assert built.query(query) == [(False, "legacy", 2, 1, f"1 open differences in {WEEK}", None, None)]
    hold_week(built.warehouse, WEEK)
    assert built.query(query) == [(True, "legacy", 3, 0, "", None, None)]
    cut_over(built.warehouse, "hiv", "A. Keza")
    assert built.query(query) == [(True, "unified", 3, 0, "", "A. Keza", None)]
    undo(built.warehouse, "hiv", "J. Mugabo")
    hold(built.warehouse, UNIFIED, records(3), partition=WEEK + timedelta(days=14))
    ((ready, reads, row, _, why, signed, undone),) = built.query(query)
    assert (ready, reads, row, signed, undone) == (False, "legacy", 0, None, "J. Mugabo")
    assert why == "0 of 2 partitions in a row are clean: 2025-03-17 is not (events stale)"


def test_match_rates_are_by_partition(built: Dbt) -> None:
    ((rates,),) = built.query("select match_rate_by_partition from reporting.tracker_cutover")
    assert list(rates) == [str(WEEK + timedelta(days=7 * n)) for n in (1, 2)]
    assert HIV_TRACKER.name == built.query("select system from reporting.tracker_cutover")[0][0]
