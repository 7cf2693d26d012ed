"""Asking `hic explain` for one value, for tests. Does not belong here: what the answer should be."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner, Result

from hic_assets.cli import cli
from hic_assets.explain.report import Question, begin, explained
from hic_assets.explain.resolve import indicator_of, indicators, unit_of, units
from hic_assets.explain.rights import rights_of
from hic_assets.warehouse import Warehouse

Found = dict[str, Any]
SIDES = ("numerator", "denominator")


def ask(warehouse: Warehouse, code: str, unit: str, period: str = "2024-01", **more: Any) -> Found:
    """The answer for one value, with all its rows."""
    with warehouse.connect() as connection:
        begin(connection)
        meant, _ = indicator_of(code, indicators(connection))
        place = unit_of(unit, units(connection))
        return explained(connection, rights_of(connection), Question(meant, place, period, 1000, **more))


def raw_keys(found: Found, side: str) -> list[tuple[Any, ...]]:
    """Raw rows of a side: table, unit, item, value."""
    rows = [row for part in found["parts"] if part["side"] == side for row in part["raw_rows"]]
    return sorted((row["relation"].removeprefix("raw."), row["unit"], row["item"], row["value"]) for row in rows)


def hic(monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse, *arguments: str) -> Result:
    monkeypatch.setenv("HIC_WAREHOUSE_URL", warehouse.url)
    return CliRunner().invoke(cli, ["explain", *arguments])
