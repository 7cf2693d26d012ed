"""Small parts of which records are written: ids, hours, drawn codes, lists of codes, numbers that are sometimes missing.

Belongs here: columns from hashes, whatever they are about. Does not belong here: what any record says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from hic_assets.sandbox.world.clinical.base import Times, lived, with_earlier
from hic_assets.sandbox.world.hashing import F64, U64, salted, uniform
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.packing import I64, Bools, chosen

_VERSION, _VARIANT = 0x40, 0x80
_LOW, _MANY = 10**14, np.uint64(9 * 10**14)


def uuids(hashes: U64) -> pl.Series:
    """A random-looking UUID (version 4) for every hash, in lower case."""
    raw = np.empty((len(hashes), 16), dtype=np.uint8)
    for half, part in enumerate((hashes, salted(hashes, "uuid"))):
        raw[:, 8 * half : 8 * half + 8] = part.astype(">u8").view(np.uint8).reshape(-1, 8)
    raw[:, 6] = raw[:, 6] & 0x0F | _VERSION
    raw[:, 8] = raw[:, 8] & 0x3F | _VARIANT
    packed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(hashes), [None, pa.py_buffer(raw)])
    digits = pl.Series("h", packed.cast(pa.large_binary()), dtype=pl.Binary).bin.encode("hex")
    cuts = ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))
    parts = [pl.col("h").str.slice(start, many) for start, many in cuts]
    return pl.DataFrame({"h": digits}).select(pl.concat_str(parts, separator="-")).to_series().alias("id")


def numbers(hashes: U64) -> I64:
    """A whole number of fifteen digits for every hash: exact in JSON, too long for 32 bits."""
    return (hashes % _MANY).astype(np.int64) + _LOW


def whole_numbers(hashes: U64) -> pl.Series:
    """The same, as ids."""
    return pl.Series("id", numbers(hashes))


def at_hour(days: I64, hashes: U64, salt: str, opens: float = 7.5, closes: float = 17.5) -> I64:
    """A moment (ms UTC, whole seconds) of these local days between two hours of the day."""
    seconds = 3600 * (opens + (closes - opens) * uniform(salted(hashes, salt)))
    result: I64 = moments.midnight(days) + np.floor(seconds).astype(np.int64) * 1000
    return result


def often(hashes: U64, salt: str, share: float | F64) -> Bools:
    """True for this share of the rows (one for all, or one each)."""
    result: Bools = uniform(salted(hashes, salt)) < share
    return result


def drawn(hashes: U64, salt: str, shares: Mapping[str, float]) -> pl.Series:
    """One of a few codes in every row, by their shares."""
    edges = np.cumsum(list(shares.values()))
    found = np.searchsorted(edges / edges[-1], uniform(salted(hashes, salt)), side="right")
    return coded(list(shares), np.minimum(found, len(shares) - 1))


def coded(codes: Sequence[str], index: npt.NDArray[np.integer] | Bools, where: Bools | None = None) -> pl.Series:
    """The n-th code in every row; null where not ``where``."""
    answer = chosen(codes, index)
    return (answer if where is None else answer.where(where)).texts()


def whole(values: F64 | I64, where: Bools | None = None) -> pl.Series:
    """Whole numbers; null where not ``where``."""
    return _masked(pl.Series(np.round(values).astype(np.int64)), where)


def tenths(values: F64, where: Bools | None = None) -> pl.Series:
    """Numbers with one decimal; null where not ``where``."""
    return _masked(pl.Series(np.round(values, 1)), where)


def flag(values: Bools, where: Bools | None = None) -> pl.Series:
    """Booleans; null where not ``where``."""
    return _masked(pl.Series(values), where)


def day(days: I64, where: Bools | None = None) -> pl.Series:
    """Days since 1970 as dates; null where not ``where``."""
    known = days if where is None else np.where(where, days, 0)
    return _masked(pl.Series(known.astype(np.int32)).cast(pl.Date), where)


def listed(flags: Mapping[str, Bools]) -> pl.Series:
    """A list of codes in every row: those whose flag is set, in the order given."""
    frame = pl.DataFrame(dict(flags))
    parts = [pl.when(code).then(pl.lit(code)) for code in flags]
    return frame.select(pl.concat_list(parts).list.drop_nulls()).to_series()


def lived_after(happened: I64, hashes: U64, person: U64, earliest: I64) -> Times:
    """The life of records that are typed in after another one (at ``earliest``, ms), to which they refer."""
    times = lived(happened, hashes, person)
    return lived(happened, hashes, person, entered=np.maximum(times.entered, earliest))


def added_later(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Records that somebody edits did not have this column before; those that nobody edits always had it."""
    before = frame.select(pl.when(pl.col("_edited") == int(NEVER)).then(column).alias(column)).to_series()
    return with_earlier(frame, column, before)


def _masked(values: pl.Series, where: Bools | None) -> pl.Series:
    return values if where is None else values.set(pl.Series(~where), None)
