"""Keys and clusters by themselves: properties that hold for any links in any order."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from hic_assets.linkage.clustering import clusters, slip
from hic_assets.linkage.persons import assign
from hic_assets.linkage.schema import ASSIGNMENTS, empty
from linkage.made import SECRET

MANY = 8
PAIR = st.tuples(st.integers(0, MANY - 1), st.integers(0, MANY - 1)).filter(lambda p: p[0] < p[1])
LINKS = st.dictionaries(
    PAIR, st.tuples(st.floats(7, 40), st.sampled_from(["link", "link", "apart", "review"])), max_size=16
)
DECIDED = st.dictionaries(PAIR, st.booleans(), max_size=4)
LABELS = st.lists(st.integers(0, 4), min_size=MANY, max_size=MANY)
NIDS = st.lists(
    st.sampled_from([None, None, "1198580012345", "1198580012354", "1199070099999"]), min_size=MANY, max_size=MANY
)


def _frame(nids: list[str | None]) -> pl.DataFrame:
    systems = ["one", "two", "tb", "tb"] * (MANY // 4)
    return pl.DataFrame(
        {"id": range(MANY), "system": systems, "nid13": nids},
        schema={"id": pl.UInt32, "system": pl.String, "nid13": pl.String},
    )


def _pairs(links: dict[tuple[int, int], tuple[float, str]]) -> pl.DataFrame:
    rows = [(a, b, w, v) for (a, b), (w, v) in links.items()]
    return pl.DataFrame(
        rows, schema={"id_l": pl.UInt32, "id_r": pl.UInt32, "weight": pl.Float64, "verdict": pl.String}, orient="row"
    )


def _decided(said: dict[tuple[int, int], bool]) -> pl.DataFrame:
    rows = [(a, b, yes) for (a, b), yes in said.items()]
    return pl.DataFrame(rows, schema={"id_l": pl.UInt32, "id_r": pl.UInt32, "accepted": pl.Boolean}, orient="row")


@settings(max_examples=150, deadline=None)
@given(LINKS, DECIDED, NIDS)
def test_clusters_hold_no_contradiction(links: dict, said: dict, nids: list) -> None:  # type: ignore[type-arg]
    frame = _frame(nids)
    label = clusters(frame, _pairs(links), _decided(said), {"one"})
    accepted = any(said.values())
    for (a, b), yes in said.items():
        assert yes or label[a] != label[b]
    for a in range(MANY):
        for b in range(a + 1, MANY):
            if label[a] != label[b] or accepted:
                continue
            assert not (nids[a] and nids[b] and not slip(nids[a], nids[b]))
            assert frame["system"][a] != "one" or frame["system"][b] != "one"
            assert links.get((a, b), (0, ""))[1] != "apart"


@settings(max_examples=100, deadline=None)
@given(LINKS, DECIDED, NIDS, st.randoms())
def test_clusters_do_not_depend_on_the_order_of_links(links: dict, said: dict, nids: list, random) -> None:  # type: ignore[no-untyped-def,type-arg]
    shuffled = list(links.items())
    random.shuffle(shuffled)
    first, second = (
        clusters(_frame(nids), _pairs(dict(rows)), _decided(said), {"one"}) for rows in (links.items(), shuffled)
    )
    assert np.array_equal(first, second)


@given(DECIDED.filter(lambda d: all(d.values())))
def test_accepted_pairs_are_together_whatever_they_say(said: dict) -> None:  # type: ignore[type-arg]
    label = clusters(
        _frame([f"119858001234{i}"[:12] + str(i) for i in range(MANY)]),
        _pairs({}),
        _decided(said),
        {"one", "two", "tb"},
    )
    assert all(label[a] == label[b] for a, b in said)


def _members(labels: list[int]) -> pl.DataFrame:
    return pl.DataFrame(
        {"system": ["hiv"] * len(labels), "record_id": [f"r{i}" for i in range(len(labels))], "cluster": labels}
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(LABELS, min_size=2, max_size=4))
def test_keys_of_any_history(history: list[list[int]]) -> None:
    before = empty(ASSIGNMENTS)
    for number, labels in enumerate(history, 1):
        now, events = assign(_members(labels), before, SECRET, number)
        keys = dict(zip(now["record_id"], now["person_key"], strict=True))
        together = {frozenset(r for r, k in keys.items() if k == key) for key in keys.values()}
        assert together == {frozenset(f"r{i}" for i, c in enumerate(labels) if c == label) for label in labels}
        again, nothing = assign(_members(labels), now, SECRET, number + 1)
        assert again.equals(now)
        assert nothing.is_empty()
        _told(before, now, events)
        before = now


def _told(before: pl.DataFrame, now: pl.DataFrame, events: pl.DataFrame) -> None:
    """Events say exactly which records went from one key to another, and how many."""
    both = before.join(now, on=["system", "record_id"]).filter(pl.col("person_key") != pl.col("person_key_right"))
    went = {(a, b): n for a, b, n in both.group_by("person_key", "person_key_right").len().iter_rows()}
    merged = pl.col("event") == "merged"
    said = events.select(
        old=pl.when(merged).then("other_key").otherwise("person_key"), new=pl.when(merged).then("person_key").otherwise("other_key"), n="records"
    )  # fmt: skip
    assert {(a, b): n for a, b, n in said.iter_rows()} == went
    alive = set(now["person_key"])
    for event, key, other, _ in events.iter_rows():
        assert key in alive
        assert (other in alive) is (event != "merged")


@given(st.text("0123456789", min_size=13, max_size=13), st.integers(0, 11), st.integers(0, 9))
def test_slips(number: str, at: int, digit: int) -> None:
    assert slip(number, number[:at] + str(digit) + number[at + 1 :])
    assert slip(number, number[:at] + number[at + 1] + number[at] + number[at + 2 :])
    assert not slip("1198580012345", "1198580054321")


def test_of_a_person_that_is_split_in_halves_the_first_record_keeps_the_key() -> None:
    members = pl.DataFrame({"system": ["tb", "hiv", "hiv"], "record_id": ["a", "z", "b"], "cluster": [7, 1, 0]})
    before, _ = assign(members.with_columns(cluster=0), empty(ASSIGNMENTS), SECRET, 1)
    after, events = assign(members, before, SECRET, 2)
    kept = before["person_key"][0]
    assert after.filter(pl.col("person_key") == kept).select("system", "record_id").rows() == [("hiv", "b")]
    assert events["event"].to_list() == ["split", "split"]
