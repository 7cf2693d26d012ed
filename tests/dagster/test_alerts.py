"""Outbreak alerts through Dagster, on a real database with a handful of series."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import dagster as dg
import numpy as np
import polars as pl
import pytest
import stubs
from books import execute
from outbreaks import LAST, LAST_TWO, WEEKS, again, make_country, report, series
from pg_servers import rows

from hic_assets.alerts.warehouse import evaluate_weeks, newest_week, read_population, read_rules
from hic_assets.alerts.weekly import COUNTS, strongest_first, verdicts
from hic_assets.assets import alerts
from hic_assets.partitions import range_tags
from hic_assets.warehouse import Warehouse

# Definitions are made with it kept out (hic_assets/definitions.py).
pytestmark = pytest.mark.filterwarnings("ignore:Parameter `backfill_policy`")


@pytest.fixture
def country(warehouse: Warehouse) -> Warehouse:
    return make_country(warehouse)


@pytest.fixture
def defs(country: Warehouse) -> dg.Definitions:
    return dg.Definitions(
        assets=[alerts.alert_asset()],
        asset_checks=[alerts.alerts_of_this_week],
        resources={"warehouse": stubs.WarehouseByUrl(url=country.url)},
        jobs=[dg.define_asset_job("alerts", selection=dg.AssetSelection.assets(alerts.KEY))],
        executor=dg.in_process_executor,
    )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It is the Thursday after the last week."""
    monkeypatch.setattr(alerts, "today", lambda: LAST + timedelta(days=10))
    yield


def run(defs: dg.Definitions, instance: dg.DagsterInstance, weeks: list[date]) -> dg.ExecuteInProcessResult:
    result = defs.resolve_job_def("alerts").execute_in_process(
        instance=instance,
        tags=range_tags(weeks[0].isoformat(), weeks[-1].isoformat()),
        run_config=stubs.QUIET,
        raise_on_error=False,
    )
    assert result.success, stubs.failures(result)
    return result


def held(warehouse: Warehouse, *, columns: str = "*") -> set[tuple[Any, ...]]:
    """What the table holds, without the time of evaluation."""
    found = rows(
        warehouse, f"select to_jsonb(a) - 'evaluated_at', week_start from (select {columns} from dwh.fct_idsr_alert) a"
    )
    return {(str(sorted(row.items())), week) for row, week in found}


def fired(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return rows(
        warehouse,
        """select week_start, disease_code, district_code, rule_code, cases from dwh.fct_idsr_alert
           where has_fired order by 1, 2, 3, 4""",
    )


def test_a_range_of_weeks_is_one_run_with_the_numbers_of_each(
    defs: dg.Definitions, country: Warehouse, instance: dg.DagsterInstance, clock: None
) -> None:
    result = run(defs, instance, LAST_TWO)
    assert instance.get_runs_count() == 1
    assert fired(country) == [(LAST, "MALARIA_SIMPLE", "101", "farrington", 90)]
    asked = rows(
        country, "select week_start, disease_code, district_code, rule_code, why_unknown from dwh.fct_idsr_alert"
    )
    ears = ["ears_c1", "ears_c2", "ears_c3"]
    of_last = {(d, p, r): why for week, d, p, r, why in asked if week == LAST}
    assert of_last == {
        ("MALARIA_SIMPLE", "101", "farrington"): None,
        ("MALARIA_SIMPLE", "102", "farrington"): None,
        ("TYPHOID", "101", "farrington"): "history_too_short",
        **{("TYPHOID", "101", rule): None for rule in ears},
        # Nobody reported: not a zero.
        ("VHF", "102", "single_case"): "not_reported",
    }
    assert [why for week, d, _, _, why in asked if week == LAST_TWO[0] and d == "VHF"] == [None]
    for week in LAST_TWO:
        filter_ = dg.AssetRecordsFilter(alerts.KEY, asset_partitions=[week.isoformat()])
        (record,) = instance.fetch_materializations(filter_, limit=5).records
        shown = stubs.shown(record.asset_materialization)
        number = sum(w == week for w, *_ in asked)
        assert shown["dagster/partition_row_count"] == number == 7
        assert shown["alerts"] == (week == LAST)
    assert shown["alerts_by_rule"] == {"farrington": 1}
    assert shown["not_judged"] == {"history_too_short": 1, "not_reported": 1}
    (line,) = shown["strongest"].records
    assert (line.data["disease_code"], line.data["district_code"], line.data["observed"]) == (
        "MALARIA_SIMPLE",
        "101",
        "90",
    )
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert str(check.description) == (
        f"Week of {LAST}: 1 rule(s) fired for 1 disease(s) and district(s). Not reported: 1 disease(s) and district(s)."
    )


def test_a_week_evaluated_twice_gives_the_same(
    defs: dg.Definitions, country: Warehouse, instance: dg.DagsterInstance
) -> None:
    run(defs, instance, LAST_TWO)
    before = held(country)
    run(defs, instance, LAST_TWO)
    assert held(country) == before
    run(defs, instance, [LAST])
    assert held(country) == before


def test_a_week_landed_again_changes_only_its_rows(
    defs: dg.Definitions, country: Warehouse, instance: dg.DagsterInstance
) -> None:
    run(defs, instance, LAST_TWO)
    before = held(country)
    again(country, LAST_TWO[0], 95)
    run(defs, instance, [LAST_TWO[0]])
    after = held(country)
    assert {row for row in before if row[1] == LAST} == {row for row in after if row[1] == LAST}
    assert [line[0] for line in fired(country)] == LAST_TWO
    assert len(before ^ after) == 2  # one row, as it was and as it is
    again(country, LAST_TWO[0], None)
    run(defs, instance, [LAST_TWO[0]])
    assert [line[0] for line in fired(country)] == [LAST]
    found = rows(
        country,
        f"""select cases, has_fired, why_unknown from dwh.fct_idsr_alert
            where week_start = '{LAST_TWO[0]}' and disease_code = 'MALARIA_SIMPLE' and district_code = '101'""",
    )
    assert found == [(None, None, "not_reported")]


def test_only_the_history_that_is_needed_is_read_and_it_is_enough(country: Warehouse) -> None:
    """The table says what the pure function says of everything there ever was."""
    older = np.random.default_rng(9).poisson(20, 200)
    report(
        country,
        [(d, p, k, w - timedelta(weeks=WEEKS), c, x) for d, p, k, w, c, x in series("MALARIA_SIMPLE", "101", older)],
    )
    evaluate_weeks(country, LAST_TWO)
    everything = rows(
        country, "select disease_code, district_code, week_start, cases, deaths from reporting.rpt_idsr_weekly"
    )
    with country.connect() as connection:
        expected = verdicts(
            pl.DataFrame(everything, schema=COUNTS, orient="row"),
            read_rules(connection),
            LAST_TWO,
            read_population(connection),
        )
    written = rows(country, f"select {', '.join(expected.columns)} from dwh.fct_idsr_alert")
    assert pl.DataFrame(written, schema=expected.schema, orient="row").sort(expected.columns[:4]).equals(expected)


def test_cases_of_facilities_that_nobody_knows_are_watched_too(country: Warehouse) -> None:
    report(country, [("VHF", None, "unmapped", LAST, 1, 0), ("VHF", None, "no code", LAST, None, None)])
    evaluate_weeks(country, [LAST])
    assert (LAST, "VHF", "unmapped", "single_case", 1) in fired(country)


def test_readers_see_old_or_new(country: Warehouse) -> None:
    """While a week is evaluated again its old rows are there; a second evaluation waits for the first."""
    evaluate_weeks(country, [LAST])
    before = held(country)
    with country.connect() as first:
        first.execute("select pg_advisory_xact_lock(hashtext('hic idsr alerts'))")
        first.execute("delete from dwh.fct_idsr_alert")
        second = threading.Thread(target=evaluate_weeks, args=(country, [LAST]))
        second.start()
        second.join(1)
        assert second.is_alive()
        assert held(country) == before
        first.rollback()
    second.join(30)
    assert not second.is_alive()
    assert held(country) == before


def test_what_fails_changes_nothing(country: Warehouse) -> None:
    evaluate_weeks(country, [LAST])
    before = held(country)
    execute(country, "update staging.idsr_alert_rule set method = 'guess' where disease_code = 'VHF'")
    with pytest.raises(ValueError, match="VHF/single_case"):
        evaluate_weeks(country, [LAST])
    assert held(country) == before


class TestCheck:
    def evaluate(self, country: Warehouse) -> dg.AssetCheckResult:
        result = alerts.alerts_of_this_week(warehouse=stubs.WarehouseByUrl(url=country.url))
        assert isinstance(result, dg.AssetCheckResult)
        return result

    def test_before_the_first_week(self, country: Warehouse, clock: None) -> None:
        result = self.evaluate(country)
        assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
        assert result.description == "No week was evaluated yet."

    def test_a_quiet_week_passes(self, country: Warehouse, clock: None) -> None:
        evaluate_weeks(country, [LAST_TWO[0]])
        result = self.evaluate(country)
        assert (result.passed, result.description) == (True, f"Week of {LAST_TWO[0]}: no rule fired.")
        assert result.metadata["verdicts"].value == 7
        assert "strongest" not in result.metadata

    def test_an_old_week_is_not_this_one(self, country: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(alerts, "today", lambda: LAST_TWO[0] + timedelta(days=22))
        evaluate_weeks(country, [LAST_TWO[0]])
        result = self.evaluate(country)
        assert not result.passed
        assert str(result.description).startswith(f"No week was evaluated since that of {LAST_TWO[0]}.")

    def test_single_cases_come_first(self, country: Warehouse, clock: None) -> None:
        again(country, LAST, 1, "102", "VHF")
        evaluate_weeks(country, [LAST])
        newest = strongest_first(newest_week(country))
        assert newest["disease_code"].to_list() == ["VHF", "MALARIA_SIMPLE"]
        assert newest["score"].to_list() == sorted(newest["score"])  # by the score alone it would be the other way
        shown: Any = self.evaluate(country).metadata["strongest"].value
        assert [r.data["rule_code"] for r in shown.records] == ["single_case", "farrington"]
