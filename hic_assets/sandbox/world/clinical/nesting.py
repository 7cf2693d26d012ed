"""Lists of structs in a frame, from the rows of a longer one.

Belongs here: that one step. Does not belong here: what the lists hold.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

from hic_assets.sandbox.world.trackers.packing import I64


def nested(owner: I64, many: int, parts: pl.DataFrame) -> pl.Series:
    """A list of structs for each of ``many`` records: the rows of ``parts`` whose ``owner`` is that record, in order.

    Records without a part have an empty list.
    """
    order = np.argsort(owner, kind="stable")
    offsets = np.zeros(many + 1, dtype=np.int64)
    np.cumsum(np.bincount(owner, minlength=many), out=offsets[1:])
    structs = parts[order].to_struct().to_arrow(compat_level=pl.CompatLevel.newest())
    return pl.Series(pa.LargeListArray.from_arrays(pa.array(offsets), structs))


def picked(texts: pl.Series, index: I64) -> pl.Series:
    """One of a few texts in every row."""
    return texts.gather(pl.Series(index))


def chosen_by(hashes_uniform: np.ndarray, options: dict[str, float]) -> pl.Series:  # type: ignore[type-arg]
    """One of a few words in every row by uniforms in [0, 1) and weights."""
    edges = np.cumsum(list(options.values())) / sum(options.values())
    index = np.minimum(np.searchsorted(edges, hashes_uniform, side="right"), len(edges) - 1)
    return picked(pl.Series(list(options), dtype=pl.String), index)
