"""How columns become texts: days, moments and facilities in the forms that systems write.

Belongs here: expressions and series. Does not belong here: names of members (the systems).
"""

from __future__ import annotations

import polars as pl

from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.trackers.moments import KIGALI_MS


def local_time(column: str, pattern: str) -> pl.Expr:
    """Milliseconds UTC as local time in Kigali, by a chrono pattern (``%d/%m/%Y %H:%M:%S``)."""
    return (pl.col(column) + KIGALI_MS).cast(pl.Datetime("ms")).dt.strftime(pattern)


def day(column: str, pattern: str) -> pl.Expr:
    """A ``pl.Date`` column by a chrono pattern."""
    return pl.col(column).dt.strftime(pattern)


def alive(expression: pl.Expr | str) -> pl.Expr:
    """Null for tombstones."""
    return pl.when(~pl.col("_deleted")).then(expression)


def by_facility(story: Story, texts: list[str | None], column: str = "place") -> pl.Expr:
    """A text for each facility (one a position), looked up by a column of positions."""
    if len(texts) != len(story.facilities):
        raise ValueError("one text a facility")
    return pl.col(column).replace_strict(
        pl.Series(range(len(texts)), dtype=pl.Int64), pl.Series(texts, dtype=pl.String), default=None
    )


def fosa_codes(story: Story) -> list[str]:
    """The FOSA code of every facility as its clinical system has it: that of the registry, or for those that have none
    there one which the registry does not know.
    """
    return [f.code or f"{7000 + at}" for at, f in enumerate(story.facilities)]
