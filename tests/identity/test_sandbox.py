"""A small country through PostgreSQL: the accuracy that is promised, and runs over weeks as good as one over all."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from pg_servers import rows
from told import KEY, prepared, tell

from hic_assets.bench.linkage import NUMBERS
from hic_assets.bench.linkage_records import sandbox_records
from hic_assets.identity.resolve import resolve
from hic_assets.linkage import accuracy
from hic_assets.linkage.schema import IDENTITY
from hic_assets.sandbox.world.country import World
from hic_assets.warehouse import Warehouse

Country = tuple[pl.DataFrame, pl.DataFrame]


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=23, scale=0.002)


@pytest.fixture(scope="module")
def country(world: World) -> Country:
    """Records and truth of a country that the model has not seen."""
    return sandbox_records(world)


def assignments(warehouse: Warehouse) -> pl.DataFrame:
    found = rows(warehouse, "select system, record_id, person_key from identity.assignment")
    return pl.DataFrame(found, schema=[*IDENTITY, "person_key"], orient="row")


@pytest.mark.parametrize(("without", "floor"), [((), 0.97), (NUMBERS, 0.93)])
def test_the_accuracy_that_is_promised(
    warehouse: Warehouse, world: World, country: Country, without: tuple[str, ...], floor: float
) -> None:
    records, truth = country
    told = records.with_columns(pl.lit(None, dtype=records.schema[name]).alias(name) for name in without)
    tell(prepared(warehouse), told)
    done = resolve(warehouse, KEY, population=world.population)
    found = assignments(warehouse)
    assert done.records == found.height == records.height
    score = accuracy.score(accuracy.compared(found, truth))
    assert score.f1 >= floor, score.row()


def test_runs_over_weeks_find_whom_one_over_all_finds(warehouse: Warehouse, world: World, country: Country) -> None:
    records, _ = country
    some = records.filter(pl.struct(IDENTITY).hash(1) % 2 == 0)
    last = some["recorded_on"].max()
    assert last is not None
    parts = [last - timedelta(days=days) for days in (60, 30, 0)]  # type: ignore[operator]
    prepared(warehouse)
    compared, keys = [], pl.DataFrame()
    for day in parts:
        tell(warehouse, some.filter(pl.col("recorded_on").fill_null(parts[0]) <= day))
        done = resolve(warehouse, KEY, population=world.population)
        compared.append(done.compared)
        now = assignments(warehouse)
        stayed = keys.join(now, on=[*IDENTITY, "person_key"], how="semi") if keys.height else keys
        noted = rows(
            warehouse, "select coalesce(sum(records), 0)::int from identity.person_event where run = %s", [done.run]
        )
        assert keys.height - stayed.height == noted[0][0]
        keys = now
    assert compared[1] < compared[0] and compared[2] < compared[0]
    whole = resolve(warehouse, KEY, population=world.population, weigh_all=True)
    assert (whole.weighed_all, whole.merged, whole.split, whole.moved) == (True, 0, 0, 0)
    assert assignments(warehouse).sort(IDENTITY).equals(keys.sort(IDENTITY))
