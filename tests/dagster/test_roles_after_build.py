"""A build ends with the grants on what it built, whether it went well or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from roles_world import small_world

from hic_assets.assets.dbt import _build
from hic_assets.warehouse import Warehouse


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_call_of_dbt_made_is_granted(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    monkeypatch.setenv("HIC_HOME", str(tmp_path))
    for name in (*warehouse.env(), "PGOPTIONS"):
        monkeypatch.setenv(name, "")  # put back at the end: the build sets them
    with small_world(warehouse) as world:

        def stream() -> Iterator[Any]:
            world.admin("create table dwh.fct_made (facility_uid text); insert into dwh.fct_made values ('F1'), ('F2')")
            yield "an event"
            if fails:
                raise RuntimeError("a test failed")

        call = SimpleNamespace(stream=stream, manifest={"nodes": {}, "sources": {}})
        context = SimpleNamespace(
            run=SimpleNamespace(run_id="r"), op_execution_context=SimpleNamespace(op=SimpleNamespace(name="dbt"))
        )
        events = _build(
            context,  # type: ignore[arg-type]
            SimpleNamespace(cli=lambda *_, **__: call),  # type: ignore[arg-type]
            SimpleNamespace(open=lambda: warehouse, pseudonyms=lambda: ""),  # type: ignore[arg-type]
            (),
        )
        assert next(events) == "an event"
        world.refused("analyst", "select * from dwh.fct_made")
        if fails:
            with pytest.raises(RuntimeError, match="a test failed"):
                list(events)
        else:
            list(events)
        assert len(world.ask("analyst", "select * from dwh.fct_made")) == 2
        assert world.ask("district", "select * from dwh.fct_made") == [("F1",)]
