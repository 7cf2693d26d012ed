"""A day's work of many clerks: random inserts, edits and deletions over all programmes of an instance.

Belongs here: choosing what is changed. Does not belong here: what a change does to a row (``editing``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hic_assets.sandbox.world.trackers import editing
from hic_assets.sandbox.world.trackers.book import Frames
from hic_assets.sandbox.world.trackers.changes import below
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, KINDS, TRACKED_ENTITIES

if TYPE_CHECKING:
    from hic_assets.sandbox.world.trackers.store import TrackerStore

Rng = np.random.Generator
# how often each kind of change is made
SHARES = {
    "delete_entities": 0.015,
    "delete_enrolments": 0.025,
    "delete_events": 0.1,
    "edit_values": 0.34,
    "move_events": 0.08,
    "complete_events": 0.09,
    "insert_events": 0.17,
    "insert_persons": 0.08,
    "edit_attributes": 0.1,
}


def drift(store: TrackerStore, n: int, rng: Rng) -> None:
    """About ``n`` changes at the world's now; fewer where a programme is too small for its share."""
    specs = store.instance.programmes
    weights = np.sqrt([store.frame(EVENTS, s.uid).height + 1.0 for s in specs])
    for spec, share in zip(specs, rng.multinomial(n, weights / weights.sum()), strict=True):
        dealt = rng.multinomial(share, list(SHARES.values()))
        counts = dict(zip(SHARES, dealt.tolist(), strict=True))
        _delete(store, spec.uid, counts, rng)
        frames = {kind: store.frame(kind, spec.uid) for kind in KINDS}
        _edit_events(store, spec.uid, frames, counts, rng)
        _edit_attributes(store, spec.uid, frames, counts["edit_attributes"], rng)
        _insert_events(store, spec.uid, frames, counts["insert_events"], rng)
        _insert_persons(store, spec.uid, counts["insert_persons"], rng)


def _some(frame: pl.DataFrame, count: int, rng: Rng, *conditions: pl.Expr) -> pl.DataFrame:
    rows = frame.select("uid", "_seq", "deleted", *(c.alias(f"_{i}") for i, c in enumerate(conditions)))
    rows = rows.filter(~pl.col("deleted"), *(pl.col(f"_{i}") for i in range(len(conditions)))).sort("_seq")
    chosen = rng.permutation(rows.height)[:count]
    found = rows["uid"].gather(np.sort(chosen))
    return frame.filter(pl.col("uid").is_in(found.implode())).sort("_seq")


def _delete(store: TrackerStore, program: str, counts: dict[str, int], rng: Rng) -> None:
    frames = {kind: store.frame(kind, program) for kind in KINDS}
    gone: dict[str, list[pl.DataFrame]] = {}
    names = {TRACKED_ENTITIES: "delete_entities", ENROLLMENTS: "delete_enrolments", EVENTS: "delete_events"}
    for kind, name in names.items():
        if counts[name]:
            for each, rows in below(kind, _some(frames[kind], counts[name], rng)["uid"], frames).items():
                gone.setdefault(each, []).append(rows)
    for kind, parts in gone.items():
        store.put(kind, program, pl.concat(parts).unique("uid").with_columns(deleted=pl.lit(True)), None)


def _edit_events(store: TrackerStore, program: str, frames: Frames, counts: dict[str, int], rng: Rng) -> None:
    happened = pl.col("occurred_at").is_not_null()
    edited = _some(frames[EVENTS], counts["edit_values"] + counts["move_events"], rng, happened).to_dicts()
    stages = {s.uid: s for s in store.programme(program).stages}
    now, start = store.world.now_ms, store.world.trackers.start
    order = rng.permutation(len(edited))
    moved = {edited[i]["uid"] for i in order[: counts["move_events"]]}
    made: list[dict[str, Any]] = []
    others = editing.other_values(stages, [r for r in edited if r["uid"] not in moved], int(rng.integers(2**31)))
    for row in edited:
        if row["uid"] in moved:
            day = max(row["occurred_at"] - timedelta(days=int(rng.integers(1, 12))), start)
            made.append(editing.edited_event(row, {}, day, None, now))
        else:
            made.append(editing.edited_event(row, others.get(row["uid"], {}), None, None, now))
    waiting = pl.col("status").is_in(["SCHEDULE", "ACTIVE"]) & ~pl.col("uid").is_in([r["uid"] for r in edited])
    for row in _some(frames[EVENTS], counts["complete_events"], rng, waiting).to_dicts():
        made.append(editing.edited_event(row, {}, None, "COMPLETED", now))
    store.put(EVENTS, program, made, None)


def _edit_attributes(store: TrackerStore, program: str, frames: Frames, count: int, rng: Rng) -> None:
    made = []
    for row in _some(frames[TRACKED_ENTITIES], count, rng).to_dicts():
        if row["attributes"]:
            pair, how = row["attributes"][int(rng.integers(len(row["attributes"])))], rng.random()
            new = None if how < 0.2 else pair["value"].swapcase() if how < 0.6 else pair["value"] + "1"
            row["attributes"] = editing.changed(row["attributes"], "attribute", {pair["attribute"]: new})
        made.append(row)
    store.put(TRACKED_ENTITIES, program, made, None)


def _insert_events(store: TrackerStore, program: str, frames: Frames, count: int, rng: Rng) -> None:
    stages, today = store.programme(program).stages, store.world.today
    rows = _some(frames[ENROLLMENTS], count, rng).to_dicts()
    chosen = [stages[i] for i in rng.integers(len(stages), size=len(rows))]
    back = rng.exponential(10, len(rows))
    days = [min(max(r["enrolled_at"], today - timedelta(days=int(b))), today) for r, b in zip(rows, back, strict=True)]
    store.insert_events(program, rows, chosen, days)


def _insert_persons(store: TrackerStore, program: str, count: int, rng: Rng) -> None:
    if count:
        start, today = store.world.trackers.start, store.world.today
        days = [max(today - timedelta(days=int(d)), start) for d in rng.exponential(6, count)]
        entities, enrolments = store.register(program, days, store.world.now_ms)
        store.put(TRACKED_ENTITIES, program, entities, None)
        store.put(ENROLLMENTS, program, enrolments, None)
