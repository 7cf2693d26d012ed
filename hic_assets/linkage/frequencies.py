"""How common names and years of birth are: agreement on a rare one says more.

Belongs here: counting them for a model, and the frequency of every value in a frame. The tables go with the model and not
with the run, so that two records weigh the same whoever else is compared with them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

SEEN = 5
"""A name borne by fewer records when the model was trained counts as one borne by so many."""
MOST = 20_000
"""Names kept, the commonest first."""


@dataclass(frozen=True)
class Frequencies:
    """Shares of the records that have a word among their names, among their mother's, and a year of birth."""

    names: dict[str, float] = field(default_factory=dict)
    mothers: dict[str, float] = field(default_factory=dict)
    years: dict[str, float] = field(default_factory=dict)
    rare: float = 1e-4
    """The share of what is not listed."""

    def as_dict(self) -> dict[str, Any]:
        """As ``model.json`` has it."""
        return asdict(self)

    def lookups(self, frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """By column of ``NORMALISED``: one row a different value there is, and ``tf_`` of it, its share in the country.

        The words of a name are taken as independent, and the days of a year as equally common.
        """
        days = frame.select(birth_day=pl.col("birth_day").unique().drop_nulls())
        year = pl.col("birth_day").dt.year().cast(pl.String)
        return {
            "name_key": self._joined(frame, "name_key", self.names),
            "mother_key": self._joined(frame, "mother_key", self.mothers),
            "birth_day": days.with_columns(tf_birth_day=self._share(year, self.years) / 365.25),
        }

    def _joined(self, frame: pl.DataFrame, column: str, shares: dict[str, float]) -> pl.DataFrame:
        keys = frame.select(pl.col(column).unique().drop_nulls())
        words = keys.with_columns(w=pl.col(column).str.split(" ")).explode("w")
        words = words.with_columns(tf=self._share(pl.col("w"), shares))
        return words.group_by(column).agg(pl.col("tf").product().alias(f"tf_{column}"))

    def _share(self, text: pl.Expr, shares: dict[str, float]) -> pl.Expr:
        if not shares:
            return pl.lit(self.rare)
        return text.replace_strict(shares, default=self.rare, return_dtype=pl.Float64)


def count(frame: pl.DataFrame) -> Frequencies:
    """The frequencies in a frame of ``NORMALISED``."""
    rare = SEEN / max(frame.height, SEEN)
    names, mothers = (_words(frame[c], rare) for c in ("name_tokens", "mother_tokens"))
    return Frequencies(names, mothers, _counted(frame["birth_year"].cast(pl.String), rare), rare)


def _words(lists: pl.Series, rare: float) -> dict[str, float]:
    known = lists.drop_nulls()
    return _counted(known.explode(), rare, known.len())


def _counted(values: pl.Series, rare: float, of: int | None = None) -> dict[str, float]:
    known = values.drop_nulls()
    counted = known.value_counts().select(
        pl.col(known.name).alias("value"), share=pl.col("count") / (of or max(known.len(), 1))
    )
    kept = (
        counted.filter(pl.col("share") >= rare)
        .sort("share", "value", descending=[True, False])
        .head(MOST)
        .sort("value")
    )
    return {v: float(f"{s:.4g}") for v, s in kept.iter_rows()}
