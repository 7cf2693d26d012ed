"""Records of the trackers by the short names of their programmes, for the tests of the trackers' country."""

from __future__ import annotations

from datetime import date

import polars as pl

from hic_assets.sandbox import World
from hic_assets.sandbox.world.trackers.catalogue import INSTANCES

START = date(2025, 1, 6)
SPECS = {p.key: p for i in INSTANCES for p in i.programmes}
HOME = {p.key: i.name for i in INSTANCES for p in i.programmes}
PROGRAMMES = list(SPECS)


def frame(world: World, key: str, kind: str) -> pl.DataFrame:
    """The records of a kind in a programme."""
    return world.tracker(HOME[key]).frame(kind, SPECS[key].uid)
