"""Lists inside records: data values, attributes, enrolments and events, built column by column.

Belongs here: lengths and a frame of members to a column of lists. Does not belong here: what the members are called.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

Lengths = npt.NDArray[np.int64]


def nested(lengths: Lengths, members: pl.DataFrame) -> pl.Series:
    """A column of lists of objects: the first ``lengths[0]`` rows of ``members``, then the next, and so on."""
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    array = pa.LargeListArray.from_arrays(pa.array(offsets), members.to_struct("member").to_arrow())
    series: pl.Series = pl.Series(pl.from_arrow(array))
    return series


def spread(values: pl.Series) -> tuple[Lengths, pl.DataFrame]:
    """The lengths of a column of lists of objects, and all its members in order."""
    lengths = values.list.len().fill_null(0).to_numpy().astype(np.int64)
    members = values.explode(empty_as_null=False, keep_nulls=False)
    return lengths, members.struct.unnest()


def renamed(values: pl.Series, names: Mapping[str, str]) -> pl.Series:
    """A column of lists of objects with these members (new name -> old name) and no others."""
    members = [pl.element().struct.field(old).alias(new) for new, old in names.items()]
    frame = values.to_frame("values").select(pl.col("values").fill_null([]).list.eval(pl.struct(members)))
    return frame["values"]


def gathered(children: pl.DataFrame, parent: str, uids: pl.Series) -> tuple[Lengths, pl.DataFrame]:
    """The children of these records in the records' order, and how many each has."""
    places = pl.DataFrame({parent: uids, "_place": np.arange(len(uids), dtype=np.int64)})
    found = children.join(places, on=parent, how="inner").sort("_place", "_seq")
    lengths = np.bincount(found["_place"].to_numpy(), minlength=len(uids)).astype(np.int64)
    return lengths, found.drop("_place")
