"""Both pipelines over every programme and partition of a clean server agree in full, on every version that has both."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tracker_country import PAIRS, trackers

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.errors import SourceError
from hic_assets.parity.compare import compare
from hic_assets.systems.declare import Pipeline
from hic_assets.warehouse import Warehouse


@pytest.mark.slow
@pytest.mark.parametrize("version", ["2.38.7", "2.40.12", "2.41.9.1"])
def test_legacy_and_unified_agree_completely(warehouse: Warehouse, tmp_path: Path, version: str) -> None:
    with trackers(warehouse, tmp_path, version) as country:
        for system, programme in PAIRS:
            country.load(system, programme)
            for kind in Kind:
                compared = [
                    compare(warehouse, programme, kind, date.fromisoformat(key)) for key in country.keys(programme)
                ]
                assert sum(result.unified_rows for result in compared) > 0, (programme.name, kind)
                assert [(r.partition, r.differences) for r in compared if r.differences] == [], (programme.name, kind)
                assert all(result.matched == result.unified_rows == result.legacy_rows for result in compared)
                # Agreeing is not enough: both could have lost the same.
                assert country.held(system, programme, kind).equals(country.served(system, programme, kind))


@pytest.mark.slow
@pytest.mark.parametrize("version", ["2.42.5.2", "2.43.1"])
def test_unified_alone_works_where_the_old_endpoints_are_gone(
    warehouse: Warehouse, tmp_path: Path, version: str
) -> None:
    with trackers(warehouse, tmp_path, version) as country:
        for system, programme in PAIRS:
            country.load(system, programme, [Pipeline.UNIFIED])
            for kind in Kind:
                held = country.held(system, programme, kind)
                assert held.height > 0
                assert held.equals(country.served(system, programme, kind)), (programme.name, kind)
        country.sandbox.requests.clear()
        system, programme = PAIRS[0]
        with pytest.raises(SourceError, match=rf"{version}.*no.*endpoint|no /api/.* any more") as caught:
            country.load(system, programme, [Pipeline.LEGACY])
        assert "unified" in str(caught.value)
        asked = [request.path for request in country.sandbox.requests]
        assert not [path for path in asked if "trackedEntityInstances" in path or path.endswith("/api/events")]
