"""The benchmark of the comparison runs and finds what it spoilt; how long it takes is not asserted."""

from __future__ import annotations

from hic_assets.bench.parity import measure
from hic_assets.warehouse import Warehouse


def test_it_measures_both_ways(warehouse: Warehouse) -> None:
    said: list[str] = []
    found = measure(20_000, warehouse, 1, said.append)
    assert found["rows"] == 20_000 and found["compare_seconds"] > 0 and found["except_seconds"] > 0
    assert found["found"].pop("value_differs") > 0
    assert set(found["found"]) <= {"missing_in_unified", "deleted_in_unified"}
    assert said == ["making 20,000 events on both sides", "20,000 against 20,000 events, run 1 of 1"]
