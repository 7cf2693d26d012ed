"""What people changed on purpose: edited, deleted and foreign rows, arrivals, un-completions.

Belongs here: the small remembered difference to the calculated country. Nothing here is random.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import polars as pl

from hic_assets.sandbox.world.values import SCHEMA

KEY = ["data_element", "period", "org_unit", "category_option_combo", "attribute_option_combo"]


@dataclass
class Overlay:
    """Changes by month (the first day; 1 January for a yearly period)."""

    rows: dict[date, pl.DataFrame] = field(default_factory=dict)
    arrivals: dict[date, dict[tuple[str, str], int]] = field(default_factory=dict)
    uncompleted: dict[date, set[tuple[str, str]]] = field(default_factory=dict)

    def put(self, month: date, rows: pl.DataFrame) -> None:
        """Remember these rows (columns as SCHEMA); a later row of the same key replaces an earlier one."""
        old = self.rows.get(month, pl.DataFrame(schema=SCHEMA))
        self.rows[month] = pl.concat([old.join(rows, on=KEY, how="anti"), rows.select(list(SCHEMA))])

    def apply(self, month: date, frame: pl.DataFrame, org_units: set[str] | None, now: int) -> pl.DataFrame:
        """The frame as it stands after the changes known at ``now``; rows of other org units are left out."""
        rows = self.rows.get(month)
        if rows is None:
            return frame
        rows = rows.filter(pl.col("_ts") <= now)
        if org_units is not None:
            rows = rows.filter(pl.col("org_unit").is_in(list(org_units)))
        return pl.concat([frame.join(rows, on=KEY, how="anti"), rows])

    def changed(self, month: date, since: int) -> bool:
        """Whether a row of this month was changed at or after ``since``."""
        rows = self.rows.get(month)
        return rows is not None and bool((rows["_ts"] >= since).any())
