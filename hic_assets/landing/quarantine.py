"""Refused rows of one load, held on disk until the load's fate is known, then copied to ``ops.quarantine``.

Belongs here: keeping what was refused. Does not: deciding what is refused (``contract``, ``duplicates``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from psycopg import Connection, sql

from hic_assets.landing.copy import copy_into

_HELD_IN_MEMORY = 50_000
_COLUMNS = ("rule", "reason", "row_text", "row_key", "slice", "load_id")


class RefusedRows:
    """Rows refused so far; beyond some tens of thousands they wait on disk, so that a bad feed costs no memory."""

    def __init__(self, folder: Path, load_id: int) -> None:
        self._folder, self._load_id = folder, load_id
        self._held: list[pl.DataFrame] = []
        self._files: list[Path] = []

    def add(self, refused: pl.DataFrame, slice_label: str) -> None:
        """Take the refused rows of one batch (columns rule, reason, row, key)."""
        if refused.is_empty():
            return
        self._held.append(
            refused.select(
                "rule",
                "reason",
                pl.col("row").alias("row_text"),
                pl.col("key").str.replace_all("\x00", "\u2400", literal=True).alias("row_key"),
                pl.lit(slice_label).alias("slice"),
                pl.lit(self._load_id, dtype=pl.Int64).alias("load_id"),
            )
        )
        if sum(frame.height for frame in self._held) > _HELD_IN_MEMORY:
            path = self._folder / f"refused-{len(self._files)}.arrow"
            pl.concat(self._held).write_ipc(path)
            self._files.append(path)
            self._held = []

    def copy_into(self, connection: Connection[Any], limit: int | None = None) -> None:
        """Copy them (or the first ``limit`` of them) to the quarantine."""
        left = limit
        with copy_into(connection, sql.Identifier("ops", "quarantine"), _COLUMNS) as frames:
            for frame in (*self._held, *map(pl.read_ipc, self._files)):
                part = frame if left is None else frame.head(left)
                if part.height:
                    frames.write(part)
                left = None if left is None else left - part.height
