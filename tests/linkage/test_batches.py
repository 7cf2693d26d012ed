"""Records of the sandbox in any batches give the same persons as all at once."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hic_assets.bench.linkage_records import sandbox_records
from hic_assets.linkage import Linked, Model, link, load
from hic_assets.linkage.schema import DECISIONS, IDENTITY
from hic_assets.sandbox.world.country import World
from linkage.made import SECRET, groups

SEED = 11


@pytest.fixture(scope="module")
def model() -> Model:
    return load().of_population(40_000)


@pytest.fixture(scope="module")
def some() -> pl.DataFrame:
    """Records of some hundred persons with several records each."""
    records, truth = sandbox_records(World(seed=SEED, scale=0.003))
    several = truth.filter(pl.len().over("person") > 2).sort(pl.col("person").hash(3)).head(260)
    return records.join(several, on=IDENTITY, how="semi")


@pytest.fixture(scope="module")
def whole(some: pl.DataFrame, model: Model) -> Linked:
    return link(some, secret=SECRET, run=1, model=model, one_to_one={"tb"})


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**30), st.integers(2, 4))
def test_batches_in_any_order(some: pl.DataFrame, model: Model, whole: Linked, seed: int, batches: int) -> None:
    known = Linked()
    order = some.sort(pl.struct(IDENTITY).hash(seed))
    old: dict[tuple[str, str], str] = {}
    for number in range(batches):
        part = order.gather_every(batches, number)
        known = link(
            part,
            Linked(known.records, known.assignments, known.pairs),
            secret=SECRET,
            run=number,
            model=model,
            one_to_one={"tb"},
        )
        now = {(s, r): k for s, r, k in known.assignments.select(*IDENTITY, "person_key").iter_rows()}
        told = set(known.events["person_key"]) | set(known.events["other_key"])
        assert all(now[record] == key or {key, now[record]} <= told for record, key in old.items())
        old = now
    assert groups(known.assignments) == groups(whole.assignments)
    assert known.pairs.select("system_l", "record_id_l", "record_id_r", "verdict", "reason").equals(
        whole.pairs.select("system_l", "record_id_l", "record_id_r", "verdict", "reason")
    )
    assert known.pairs["weight"].to_list() == pytest.approx(whole.pairs["weight"].to_list())


def test_the_same_again_changes_nothing(some: pl.DataFrame, model: Model, whole: Linked) -> None:
    again = link(
        some,
        Linked(whole.records, whole.assignments, whole.pairs),
        secret=SECRET,
        run=2,
        model=model,
        one_to_one={"tb"},
    )
    assert again.assignments.equals(whole.assignments)
    assert again.events.is_empty()
    assert again.pairs.equals(whole.pairs)
    kept = link(some, Linked(assignments=whole.assignments), secret=SECRET, run=2, model=model, one_to_one={"tb"})
    assert kept.assignments.equals(whole.assignments)


def test_what_somebody_decided_holds(some: pl.DataFrame, model: Model, whole: Linked) -> None:
    linked = whole.pairs.filter(pl.col("verdict") == "link").head(5).with_columns(accepted=pl.lit(False))
    looked_at = whole.review.head(5).with_columns(accepted=pl.lit(True))
    decided = pl.concat([linked, looked_at]).select(list(DECISIONS))
    found = link(
        some.clear(),
        Linked(whole.records, whole.assignments, whole.pairs),
        secret=SECRET,
        run=2,
        model=model,
        decisions=decided,
    )
    keys = found.assignments.select(*IDENTITY, "person_key")
    for side in "lr":
        decided = decided.join(keys.rename(lambda c, s=side: f"{c}_{s}"), on=[f"{c}_{side}" for c in IDENTITY])
    together = decided["person_key_l"] == decided["person_key_r"]
    rejected = decided.filter(~pl.col("accepted") & together)
    assert rejected.is_empty()
    assert decided.filter(pl.col("accepted") & ~together).is_empty()
    assert found.review.join(decided, on=["system_l", "record_id_l", "system_r", "record_id_r"], how="semi").is_empty()
