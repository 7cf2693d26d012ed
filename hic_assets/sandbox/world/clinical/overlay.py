"""What was changed on purpose in one clinical system: whole rows, remembered beside the story and laid over it.

Belongs here: keeping and applying changes. Does not belong here: what a change is (``store``). A changed record no
longer follows the story.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl


@dataclass
class Overlay:
    """Rows by resource as they stand (``base.STATE``) from their ``_from`` (ms) on; later ones replace earlier ones."""

    rows: dict[str, pl.DataFrame] = field(default_factory=dict)

    def put(self, resource: str, rows: pl.DataFrame, at: int) -> None:
        """These records are so from a moment on, which becomes their change time."""
        moment = pl.lit(at, dtype=pl.Int64)
        made = rows.with_columns(_updated=moment, _from=moment)
        old = self.rows.get(resource)
        self.rows[resource] = made if old is None else pl.concat([old, made.select(old.columns)])

    def latest(self, resource: str, now: int) -> pl.DataFrame | None:
        """The changed records as they stand at a moment; None when there are none."""
        rows = self.rows.get(resource)
        if rows is None:
            return None
        return rows.filter(pl.col("_from") <= now).unique("id", keep="last", maintain_order=True).drop("_from")

    def apply(self, resource: str, frame: pl.DataFrame, now: int, begin: int, end: int) -> pl.DataFrame:
        """A standing frame of what happened in [begin, end) with the changes laid over it."""
        rows = self.latest(resource, now)
        if rows is None or rows.is_empty():
            return frame
        kept = frame.filter(~pl.col("id").is_in(rows["id"].implode()))
        inside = rows.filter(pl.col("_happened") >= begin, pl.col("_happened") < end)
        return pl.concat([kept, inside.select(frame.columns)])
