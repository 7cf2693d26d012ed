"""Identity resolution, one run: new and changed records against all there are.

Belongs here: the order of the steps. Does not belong here: the steps.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import polars as pl

from hic_assets.linkage import blocking, scoring
from hic_assets.linkage.clustering import clusters
from hic_assets.linkage.model import Model, load
from hic_assets.linkage.normalise import normalise
from hic_assets.linkage.persons import assign
from hic_assets.linkage.schema import (
    ASSIGNMENTS,
    COMPARISONS,
    DECISIONS,
    EVENTS,
    IDENTITY,
    PAIRS,
    RECORDS,
    conform,
    empty,
)
from hic_assets.linkage.verdict import APART, LINK, REVIEW, THRESHOLDS, Thresholds, judge


@dataclass(frozen=True)
class Linked:
    """What is known after a run, and what the next one needs again: ``records``, ``assignments`` and ``pairs``.

    ``review`` are the pairs that somebody should look at, the weightiest first: those of the grey zone, and links that a
    contradiction cut. ``left_out`` lists keys that too many records share (rule, blocks, records); ``compared`` counts the
    pairs weighed in this run.
    """

    records: pl.DataFrame = field(default_factory=lambda: empty(RECORDS))
    assignments: pl.DataFrame = field(default_factory=lambda: empty(ASSIGNMENTS))
    pairs: pl.DataFrame = field(default_factory=lambda: empty(PAIRS))
    events: pl.DataFrame = field(default_factory=lambda: empty(EVENTS))
    review: pl.DataFrame = field(default_factory=lambda: empty(PAIRS))
    left_out: pl.DataFrame = field(default_factory=pl.DataFrame)
    compared: int = 0

    def event_counts(self) -> dict[str, int]:
        """How many events of each kind there were, those without any too."""
        counted = dict(self.events.group_by("event").len().iter_rows())
        return {event: counted.get(event, 0) for event in ("merged", "split", "moved")}


def link(
    new: pl.DataFrame,
    known: Linked | None = None,
    *,
    secret: bytes,
    run: int,
    decisions: pl.DataFrame | None = None,
    model: Model | None = None,
    one_to_one: Collection[str] = (),
    thresholds: Thresholds = THRESHOLDS,
) -> Linked:
    """Say of every record whom it is about.

    ``new`` are new and changed records (``RECORDS``); a changed one replaces the known one of its (system, record_id) and is
    compared again. Only pairs with a new record are compared. ``known`` is what the run before returned (``Linked`` of frames read
    from tables); none to begin with. Without ``known.pairs`` give all records as ``new``, and the assignments alone
    as known: keys stay.

    ``secret`` makes person keys; ``run`` is a number that grows from run to run (keys made in one are older than in the next).
    ``decisions`` (``DECISIONS``) are all that were ever made. ``one_to_one`` names systems that guarantee one record a person.

    Raises:
        ValueError: frames of other columns, a record twice, a secret too short.
    """
    before, model = known or Linked(), model or load()
    new = conform(new, RECORDS)
    records = pl.concat([before.records.join(new, on=IDENTITY, how="anti"), new]).sort(IDENTITY)
    frame = normalise(records).with_row_index("id")
    names = frame.select("id", *IDENTITY)
    fresh = names.join(new.select(IDENTITY), on=IDENTITY, how="semi")["id"]
    is_fresh = frame["id"].is_in(fresh.implode())
    blocks, left_out = blocking.blocks(blocking.person_keys(frame), fresh.to_frame())
    scored = scoring.score(frame, blocks, is_fresh, model, COMPARISONS, thresholds.review)
    older = _numbered(before.pairs, names, is_fresh)
    pairs = pl.concat([older, judge(scored.pairs, frame, thresholds).select(older.columns)]).sort("id_l", "id_r")
    decided = _decided(decisions, names)
    label = clusters(frame, pairs, decided, one_to_one)
    assigned, events = assign(names.select(*IDENTITY, cluster=pl.Series(label)), before.assignments, secret, run)
    review = _named(_review(pairs, decided, pl.Series(label)), names)
    return Linked(records, assigned, _named(pairs, names), events, review, left_out, scored.compared)


def _numbered(pairs: pl.DataFrame, names: pl.DataFrame, fresh: pl.Series) -> pl.DataFrame:
    """Pairs of records that are still there and did not change, by id."""
    old = conform_pairs(pairs)
    for side in "lr":
        ids = names.filter(~fresh).rename(
            {"id": f"id_{side}", "system": f"system_{side}", "record_id": f"record_id_{side}"}
        )
        old = old.join(ids, on=[f"system_{side}", f"record_id_{side}"], how="inner")
    return old.select("id_l", "id_r", *[c for c in PAIRS if not c.startswith(("system_", "record_id_"))])


def conform_pairs(pairs: pl.DataFrame) -> pl.DataFrame:
    """The columns of ``PAIRS``."""
    return pairs.select(pl.col(name).cast(kind) for name, kind in PAIRS.items())  # type: ignore[arg-type]


def _decided(decisions: pl.DataFrame | None, names: pl.DataFrame) -> pl.DataFrame:
    """Decisions by id, the smaller left, the last of a pair; those about records that are no more are left out."""
    known = empty(DECISIONS) if decisions is None else decisions.select(list(DECISIONS))
    for side in "lr":
        ids = names.rename({"id": side, "system": f"system_{side}", "record_id": f"record_id_{side}"})
        known = known.join(ids, on=[f"system_{side}", f"record_id_{side}"], how="inner", maintain_order="left")
    known = known.select(id_l=pl.min_horizontal("l", "r"), id_r=pl.max_horizontal("l", "r"), accepted="accepted")
    return known.filter(pl.col("id_l") != pl.col("id_r")).unique(["id_l", "id_r"], keep="last", maintain_order=True)


def _review(pairs: pl.DataFrame, decided: pl.DataFrame, label: pl.Series) -> pl.DataFrame:
    open_ = pairs.join(decided, on=["id_l", "id_r"], how="anti").filter(pl.col("verdict") != APART)
    two = open_.filter(label.gather(open_["id_l"]) != label.gather(open_["id_r"]))
    cut = pl.col("verdict") == LINK
    two = two.with_columns(
        verdict=pl.lit(REVIEW),
        reason=pl.when(cut)
        .then(pl.lit("linked by ") + pl.col("reason") + ", but contradicted by others")
        .otherwise("reason"),
    )
    return two.sort(["weight", "id_l", "id_r"], descending=[True, False, False])


def _named(pairs: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    for side in "lr":
        ids = names.rename({"id": f"id_{side}", "system": f"system_{side}", "record_id": f"record_id_{side}"})
        pairs = pairs.join(ids, on=f"id_{side}", how="left", maintain_order="left")
    return conform_pairs(pairs)
