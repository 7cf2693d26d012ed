"""How well records were put together, where it is known whom they are about.

Belongs here: pairs and whole persons, precision, recall, F1, by any class of pair. Does not belong here: where the truth is from.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from hic_assets.linkage.schema import IDENTITY


@dataclass(frozen=True)
class Score:
    """Counts of pairs (or of persons): found and true, found and not true, true and not found."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """Of what was found, the share that is true; 1 where nothing was found."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Of what is true, the share that was found; 1 where nothing was to be found."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of the two."""
        return 2 * self.right / max(2 * self.right + self.wrong + self.missed, 1)

    def row(self) -> dict[str, float | int]:
        """For a table."""
        shares = {n: round(getattr(self, n), 4) for n in ("precision", "recall", "f1")}
        return {**shares, "right": self.right, "wrong": self.wrong, "missed": self.missed}


def _pairs(frame: pl.DataFrame, by: str) -> pl.DataFrame:
    """Every pair of records with the same value: l and r, the smaller left."""
    rows = frame.select(by, "row")
    both = rows.join(rows, on=by, suffix="_r").filter(pl.col("row") < pl.col("row_r"))
    return both.select(l="row", r="row_r")


def compared(assignments: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """One row a pair that was found or is true: l, r (row numbers), found, true, system_l, system_r.

    ``assignments`` has system, record_id, person_key; ``truth`` system, record_id, person. Records in both count.
    """
    both = assignments.join(truth, on=IDENTITY).sort(IDENTITY).with_row_index("row")
    found = _pairs(both, "person_key").with_columns(found=pl.lit(True))
    true = _pairs(both, "person").with_columns(true=pl.lit(True))
    whole = found.join(true, on=["l", "r"], how="full", coalesce=True).with_columns(
        pl.col("found", "true").fill_null(False)
    )
    names = both.select("row", *IDENTITY)
    for side in "lr":
        whole = whole.join(
            names.rename({"row": side, "system": f"system_{side}", "record_id": f"record_id_{side}"}), on=side
        )
    return whole


def score(pairs: pl.DataFrame) -> Score:
    """The score of a frame with ``found`` and ``true``."""
    counts = pairs.select(
        right=(pl.col("found") & pl.col("true")).sum(),
        wrong=(pl.col("found") & ~pl.col("true")).sum(),
        missed=(~pl.col("found") & pl.col("true")).sum(),
    )
    return Score(*(int(n) for n in counts.row(0)))


def by_class(pairs: pl.DataFrame, classes: pl.Expr) -> dict[str, Score]:
    """A score for every class of pair, in the order of their names."""
    classed = pairs.with_columns(_class=classes)
    return {str(name): score(rows) for (name,), rows in sorted(classed.group_by("_class"), key=lambda g: str(g[0][0]))}


def persons(assignments: pl.DataFrame, truth: pl.DataFrame) -> Score:
    """The score of whole persons: one is right when it has all records that it should and no other."""
    both = assignments.join(truth, on=IDENTITY)
    found = both.group_by("person_key").agg(
        n=pl.len(), one=pl.col("person").n_unique() == 1, person=pl.col("person").first()
    )
    size = both.group_by("person").agg(size=pl.len())
    right = found.join(size, on="person").filter("one", pl.col("n") == pl.col("size")).height
    return Score(right, found.height - right, size.height - right)
