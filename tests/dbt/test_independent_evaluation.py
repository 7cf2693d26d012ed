"""The marts against an evaluation written differently: Polars over raw tables, for every place and month."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from dbt_runner import Dbt
from fault.country import MONTHLY, Country, definitions
from pg_servers import fresh_database
from polars_catalogue import Catalogue
from polars_compiled import Compiled
from polars_raw import Raw

from hic_assets.assets.indicators import compile_into
from hic_assets.prepare import prepare
from hic_assets.sandbox import World, running_sandbox
from hic_assets.warehouse import Warehouse

TODAY = date(2025, 9, 10)
# Two fiscal years and two quarters of the sandbox.
FIRST, LAST = date(2025, 5, 1), date(2025, 7, 1)
WINDOW = ("--event-time-start", "2025-05-01", "--event-time-end", "2025-08-01")
WANTED = ("--select", "+rpt_core_indicators", "+rpt_indicator_monthly", "--exclude-resource-type", "test", "unit_test")
Sides = dict[Any, tuple[float | None, float | None, float | None]]


def assert_equal(found: Sides, expected: Sides) -> None:
    """The same keys, and each number within 1e-9 of the other, or missing on both sides."""
    assert found.keys() == expected.keys(), (
        sorted(expected.keys() - found.keys())[:5],
        sorted(found.keys() - expected.keys())[:5],
    )
    different = {
        key: (found[key], numbers)
        for key, numbers in expected.items()
        for ours, theirs in zip(found[key], numbers, strict=True)
        if (ours is None) != (theirs is None)
        or (ours is not None and theirs is not None and not math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9))
    }
    assert different == {}


@pytest.fixture(scope="module")
def sandbox_country(postgres_server: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dbt]:
    """Three months of a small sandbox, read over HTTP and landed as in life, with the marts on them."""
    folder = tmp_path_factory.mktemp("sandbox_country")
    world = World(seed=11, scale=0.02, today=TODAY)
    with fresh_database(postgres_server) as warehouse, running_sandbox(world=world) as sandbox:
        with warehouse.connect() as connection:
            prepare(connection)
        country = Country(sandbox, warehouse, definitions(), folder / "spool")
        (folder / "spool").mkdir()
        try:
            assert country.registries().success
            assert country.months(FIRST, LAST, job=MONTHLY).success
        finally:
            country.close()
        compile_into(warehouse)
        dbt = Dbt(warehouse, folder / "target")
        dbt.run("build", *WANTED, *WINDOW)
        yield dbt


def catalogued(dbt: Dbt) -> Sides:
    """What the report says of indicators that are not sensitive, of every place and period."""
    found = dbt.query(
        "select r.indicator_code, org_unit_uid, period, r.numerator, r.denominator, value from reporting.rpt_core_indicators r"
        " join dwh.dim_core_indicator d on r.indicator_code = d.indicator_code where not is_sensitive"
    )
    return {row[:3]: row[3:] for row in found}


def by_month(dbt: Dbt) -> Sides:
    """Both sides of every indicator, sensitive ones too, as the fact holds them."""
    found = dbt.query(
        "select indicator_code, org_unit_uid, to_char(period_start, 'YYYY-MM'), numerator, denominator, null::float"
        " from dwh.fct_core_indicator"
    )
    return {row[:3]: row[3:] for row in found}


def months_of(catalogue: Catalogue) -> Sides:
    answers = catalogue.answers()
    return {key: (n, d, None) for key, (n, d, _) in answers.items() if key[2].count("-") == 1}


def shown_sensitive(dbt: Dbt) -> Sides:
    found = dbt.query(
        "select r.indicator_code, org_unit_uid, period, r.numerator, r.denominator, value from reporting.rpt_core_indicators r"
        " join dwh.dim_core_indicator d on r.indicator_code = d.indicator_code where is_sensitive and not is_suppressed"
    )
    return {row[:3]: row[3:] for row in found}


@pytest.mark.parametrize("which", ["country", "sandbox_country"])
def test_catalogued_indicators_agree_with_polars(which: str, request: pytest.FixtureRequest) -> None:
    dbt: Dbt = request.getfixturevalue(which)
    catalogue = Catalogue(Raw(dbt.warehouse))
    assert_equal(by_month(dbt), months_of(catalogue))
    assert_equal(catalogued(dbt), catalogue.answers(sensitive=False))
    answers, shown = catalogue.answers(sensitive=True), shown_sensitive(dbt)
    assert len(shown) > 10
    assert_equal(shown, {key: answers[key] for key in shown})


def test_every_indicator_with_a_source_has_values_at_every_level(sandbox_country: Dbt) -> None:
    """So that what agrees is something."""
    empty = sandbox_country.query(
        "select indicator_code from dwh.dim_core_indicator where no_value_reason is null except"
        " select indicator_code from dwh.fct_core_indicator where numerator > 0 and denominator > 0"
    )
    assert empty == []
    missing = sandbox_country.query("select missing_codes from dwh.dim_core_indicator where missing_codes is not null")
    assert missing == []
    levels = sandbox_country.query("select level, count(*) from dwh.fct_core_indicator group by level")
    assert {level for level, _ in levels} == {"country", "province", "district", "facility"}


def test_indicators_of_dhis2_agree_with_the_interpreter(sandbox_country: Dbt) -> None:
    found = sandbox_country.query(
        "select indicator_uid, org_unit_uid, period_start::text, numerator, denominator, value"
        " from dwh.fct_indicator_value"
    )
    expected = Compiled(Raw(sandbox_country.warehouse)).answers()
    assert len({key[0] for key in expected}) > 50
    assert_equal({row[:3]: row[3:] for row in found}, expected)


def test_dhis2_indicators_of_sensitive_programmes_are_in_no_other_report(sandbox_country: Dbt) -> None:
    reported = {
        code for (code,) in sandbox_country.query("select distinct indicator_code from reporting.rpt_indicator_monthly")
    }
    assert {"ANC1_COV", "MAL_MORT_RATE", "EPI_PENTA3_COV"} <= reported
    assert [code for code in reported if code.startswith(("HIV_", "TB_"))] == []


def test_the_comparison_sees_a_difference() -> None:
    """A key that only one side has is one, and so is the fifth digit."""
    with pytest.raises(AssertionError):
        assert_equal({("a", "b", "c"): (1, 2, 50)}, {})
    with pytest.raises(AssertionError):
        assert_equal({("a", "b", "c"): (1, 2, 50)}, {("a", "b", "c"): (1, 2, 50.001)})
