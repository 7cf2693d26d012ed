"""What was changed on purpose in one tracker: whole new rows, remembered beside the story and laid over it.

Belongs here: keeping and applying changes. Does not belong here: what a change is (``editing``, ``drift``).
A changed record no longer follows the story: a dose on the calendar that was edited stays as edited.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from hic_assets.sandbox.world.trackers.book import Frames
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, SCHEMAS, TRACKED_ENTITIES

_TOUCHES = {"uid": pl.String, "at": pl.Int64}


@dataclass
class Changes:
    """Rows by kind and programme (uid), each with ``_at``, the moment (ms) from which it is so."""

    rows: dict[tuple[str, str], pl.DataFrame] = field(default_factory=dict)
    touches: dict[str, pl.DataFrame] = field(default_factory=dict)
    purges: list[int] = field(default_factory=list)

    def put(self, kind: str, program: str, rows: pl.DataFrame, at: int) -> None:
        """These records are so from ``at`` on. Enrolments and events touch their tracked entity, as in DHIS2."""
        if rows.is_empty():
            return
        moment = pl.lit(at, dtype=pl.Int64)
        alive = pl.when("deleted").then(pl.coalesce("_alive_updated_ms", moment)).otherwise(moment)
        made = rows.select(list(SCHEMAS[kind])).with_columns(updated_ms=moment, _alive_updated_ms=alive, _at=moment)
        old = self.rows.get((kind, program))
        self.rows[kind, program] = made if old is None else pl.concat([old, made])
        if kind != TRACKED_ENTITIES:
            touched = made.select(pl.col("tracked_entity").alias("uid"), pl.col("_at").alias("at")).unique()
            before = self.touches.get(program)
            self.touches[program] = touched if before is None else pl.concat([before, touched])

    def purged(self, now: int) -> int:
        """The last moment up to which tombstones are gone."""
        return max((p for p in self.purges if p <= now), default=0)

    def apply(self, frames: Frames, program: str, now: int) -> Frames:
        """The frames of a programme with everything changed up to ``now``."""
        made = {kind: self._apply(kind, frame, program, now) for kind, frame in frames.items()}
        made[TRACKED_ENTITIES] = self._touched(made[TRACKED_ENTITIES], program, now)
        return self._orphans_left_out(made, program, now)

    def _latest(self, kind: str, program: str, now: int) -> pl.DataFrame | None:
        rows = self.rows.get((kind, program))
        if rows is None:
            return None
        return rows.filter(pl.col("_at") <= now).unique("uid", keep="last", maintain_order=True).drop("_at")

    def _apply(self, kind: str, frame: pl.DataFrame, program: str, now: int) -> pl.DataFrame:
        rows = self._latest(kind, program, now)
        if rows is None:
            return frame
        replaced = pl.col("uid").is_in(rows["uid"].implode())
        if kind == TRACKED_ENTITIES:
            told = frame.filter(replaced).select("uid", _told="updated_ms")
            rows = rows.join(told, on="uid", how="left", maintain_order="left")
            rows = rows.with_columns(
                updated_ms=pl.when("deleted").then("updated_ms").otherwise(pl.max_horizontal("updated_ms", "_told"))
            )
        rows = rows.filter(~(pl.col("deleted") & (pl.col("updated_ms") <= self.purged(now))))
        return pl.concat([frame.filter(~replaced), rows.select(frame.columns)])

    def _orphans_left_out(self, frames: Frames, program: str, now: int) -> Frames:
        """The story goes on for those deleted on purpose: what it adds to them later never happens."""
        for kind, column in ((TRACKED_ENTITIES, "tracked_entity"), (ENROLLMENTS, "enrollment")):
            rows = self._latest(kind, program, now)
            gone = None if rows is None else rows.filter("deleted")["uid"]
            if gone is not None and len(gone):
                kept = pl.col("deleted") | ~pl.col(column).is_in(gone.implode())
                frames = {k: f.filter(kept) if column in f.columns else f for k, f in frames.items()}
        return frames

    def _touched(self, frame: pl.DataFrame, program: str, now: int) -> pl.DataFrame:
        touches = self.touches.get(program)
        if touches is None:
            return frame
        last = touches.filter(pl.col("at") <= now).group_by("uid").agg(pl.col("at").max())
        frame = frame.join(last, on="uid", how="left", maintain_order="left")
        return frame.with_columns(pl.max_horizontal("updated_ms", "at").alias("updated_ms")).drop("at")


def below(kind: str, uids: pl.Series, frames: Frames) -> Frames:
    """The records (as they stand) that a deletion of these takes with it, themselves included, by kind."""
    found = {kind: frames[kind].filter(pl.col("uid").is_in(uids.implode()), ~pl.col("deleted"))}
    if kind == TRACKED_ENTITIES:
        owned = pl.col("tracked_entity").is_in(uids.implode())
        found[ENROLLMENTS] = frames[ENROLLMENTS].filter(owned, ~pl.col("deleted"))
        found[EVENTS] = frames[EVENTS].filter(owned, ~pl.col("deleted"))
    elif kind == ENROLLMENTS:
        found[EVENTS] = frames[EVENTS].filter(pl.col("enrollment").is_in(uids.implode()), ~pl.col("deleted"))
    return found
