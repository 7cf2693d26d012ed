"""Faults in the rows: what a broken import or a half-synchronised server puts among good values.

Belongs here: frames in, frames out. Bytes are spoiled in ``mischief``.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from hic_assets.sandbox.server.faults import Fault, Faults
from hic_assets.sandbox.world.hashing import uid

BAD_TEXTS = ["douze", "12O", "N/A", "1,5", "--", "3 4"]


def _numeric(frame: pl.DataFrame, count: int) -> pl.DataFrame:
    return frame.filter(pl.col("value").str.contains(r"^-?\d+$")).head(count)


def _duplicates(frame: pl.DataFrame, count: int) -> tuple[pl.DataFrame, int]:
    copies = frame.head(count)
    return pl.concat([frame, copies]), copies.height


def _conflicting(frame: pl.DataFrame, count: int) -> tuple[pl.DataFrame, int]:
    rows = _numeric(frame, count)
    return pl.concat([frame, rows.with_columns(value=pl.col("value") + "7")]), rows.height


def _bad_values(frame: pl.DataFrame, count: int) -> tuple[pl.DataFrame, int]:
    numbered = frame.with_row_index("_n")
    at = _numeric(numbered, count)["_n"]
    texts = pl.Series([BAD_TEXTS[i % len(BAD_TEXTS)] for i in range(len(at))], dtype=pl.String)
    return frame.with_columns(frame["value"].scatter(at, texts)), len(at)


def _foreign(column: str, text: str) -> Callable[[pl.DataFrame, int], tuple[pl.DataFrame, int]]:
    def add(frame: pl.DataFrame, count: int) -> tuple[pl.DataFrame, int]:
        rows = frame.head(count).with_columns(pl.lit(text).alias(column))
        return pl.concat([frame, rows]), rows.height

    return add


SPOILERS: dict[str, Callable[[pl.DataFrame, int], tuple[pl.DataFrame, int]]] = {
    "duplicates": _duplicates,
    "conflicting_duplicates": _conflicting,
    "bad_values": _bad_values,
    "unknown_facility": _foreign("org_unit", uid("unknown", "facility")),
    "unknown_data_element": _foreign("data_element", uid("unknown", "dataElement")),
    "impossible_period": _foreign("period", "202613"),
}


def spoil(frame: pl.DataFrame, struck: dict[str, Fault], faults: Faults, done: set[str]) -> pl.DataFrame:
    """Apply the row faults that struck, once a reply (``done``), counting the rows."""
    clean = frame
    for name, apply in SPOILERS.items():
        if name in struck and name not in done and clean.height:
            frame, rows = apply(frame, int(struck[name].options.get("rows", 3)))
            faults.count(name, rows)
            done.add(name)
    return frame
