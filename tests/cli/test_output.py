"""What progress and results look like where they are not a terminal: in a log, a pipe, a test."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from hic_assets.cli.demo_run import failure_words
from hic_assets.cli.output import Steps, show_json, show_table


def test_progress_is_a_line_each_time_it_changes(capsys: pytest.CaptureFixture[str]) -> None:
    with Steps().step("months [of] data") as step:
        for month in ("January", "January", "February"):
            step.now(month)
        step.done("months: run 1 succeeded")
    out, err = capsys.readouterr()
    assert out == ""
    *lines, last = err.splitlines()
    assert lines == [
        "  … months [of] data",
        "  … months [of] data: January",
        "  … months [of] data: February",
    ]
    assert last.startswith("  ✓ months: run 1 succeeded (")


def test_a_step_that_raises_and_one_that_failed_are_marked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="no"), Steps().step("one"):
        raise ValueError("no")
    with Steps().step("two") as step:
        step.done("two: FAILED", failed=True)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" (")[0] for line in lines] == ["  … one", "  ✗ one", "  … two", "  ✗ two: FAILED"]


def test_a_long_line_stays_one(capsys: pytest.CaptureFixture[str]) -> None:
    with Steps().step("x" * 300):
        pass
    assert capsys.readouterr().err.splitlines()[0] == f"  … {'x' * 300}"


def test_a_table_has_its_columns_and_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    show_table("Loaded", ("table", "rows", "is_it"), [{"table": "raw.x", "rows": 1234567, "is_it": True}])
    out = capsys.readouterr().out
    assert "Loaded" in out
    assert "is it" in out
    assert "1,234,567" in out
    assert "yes" in out


def test_json_takes_whatever_a_query_gives(capsys: pytest.CaptureFixture[str]) -> None:
    from datetime import date
    from decimal import Decimal

    show_json([{"month": date(2024, 1, 1), "value": Decimal("1.50")}])
    assert json.loads(capsys.readouterr().out) == [{"month": "2024-01-01", "value": "1.50"}]


def test_a_failure_is_one_line_with_the_innermost_reason() -> None:
    inner = SimpleNamespace(message="psycopg.OperationalError: the server\n  closed the connection\n", cause=None)
    outer = SimpleNamespace(message="DagsterExecutionStepExecutionError: step failed", cause=inner)
    data = SimpleNamespace(error=outer, user_failure_data=None)
    event = SimpleNamespace(step_key="raw__x", step_failure_data=data, message="")
    assert failure_words(event) == "raw__x: psycopg.OperationalError: the server closed the connection"
    data.user_failure_data = SimpleNamespace(description="raw.x: not loaded")
    assert failure_words(event) == "raw__x: raw.x: not loaded"
