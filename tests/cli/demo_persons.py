"""Whether the persons that a demo has found are those of the sandbox's truth: the whole way, from the APIs to the warehouse."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from hic_assets.bench.linkage_records import sandbox_records
from hic_assets.linkage import accuracy
from hic_assets.linkage.schema import IDENTITY
from hic_assets.sandbox.world.country import World
from hic_assets.settings import Settings
from hic_assets.warehouse import existing_warehouse


def persons_found(home: Path, scale: float) -> accuracy.Score:
    """Pairs of records whose names are the same in the sandbox and in the warehouse: all but files of facilities."""
    warehouse = existing_warehouse(Settings(home=home))
    assert warehouse is not None
    with warehouse.connect() as connection:
        found = connection.execute("select system, record_id, person_key from identity.assignment").fetchall()
    assigned = pl.DataFrame(found, schema=[*IDENTITY, "person_key"], orient="row")
    assigned = assigned.with_columns(pl.col("system").replace({"ebuzima_newborn": "ebuzima_newborns"}))
    _, truth = sandbox_records(World(scale=scale, today=date.today()))
    both = assigned.join(truth, on=IDENTITY, how="semi")
    assert both.height > 500
    return accuracy.score(accuracy.compared(both, truth))
