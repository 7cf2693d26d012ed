"""Many small answers into few big columns: uids from hashes, and lists of (field, value) from positions.

Belongs here: how answers are held until they are packed, and the packing. Does not belong here: what is answered.
An answer is a position in a vocabulary of texts, so a million of them cost one gather.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from hic_assets.sandbox.world.hashing import U64

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
MISSING = -1

_LETTERS = string.ascii_letters
_ALPHABET = _LETTERS + string.digits
_FIRST = np.frombuffer(_LETTERS.encode(), dtype=np.uint8)
_PAIRS = np.array([[ord(a), ord(b)] for a in _ALPHABET for b in _ALPHABET], dtype=np.uint8)


def uids(hashes: U64) -> pl.Series:
    """A DHIS2 uid for every hash: 11 characters, the first a letter."""
    size = len(hashes)
    text = np.empty((size, 11), dtype=np.uint8)
    rest, first = np.divmod(hashes, np.uint64(len(_LETTERS)))
    text[:, 0] = _FIRST[first.astype(np.intp)]
    for at in range(1, 11, 2):
        rest, pair = np.divmod(rest, np.uint64(len(_PAIRS)))
        text[:, at : at + 2] = _PAIRS[pair.astype(np.intp)]
    offsets = np.arange(0, 11 * size + 1, 11, dtype=np.int64)
    made = pa.LargeStringArray.from_buffers(size, pa.py_buffer(offsets), pa.py_buffer(text))
    return pl.Series(made, dtype=pl.String)


@dataclass(frozen=True)
class Answer:
    """What one field says in every row: a position in ``vocab``, or MISSING."""

    vocab: pl.Series
    index: I32

    @classmethod
    def of(cls, texts: pl.Series) -> Answer:
        """Every row says its own text; null is missing."""
        index = np.arange(len(texts), dtype=np.int32)
        if texts.null_count():
            index[texts.is_null().to_numpy()] = MISSING
        return cls(texts, index)

    def where(self, kept: Bools) -> Answer:
        """The same, but missing where ``kept`` is false."""
        return Answer(self.vocab, np.where(kept, self.index, np.int32(MISSING)))

    def instead(self, other: Answer, where: Bools) -> Answer:
        """``other`` where asked, else this one."""
        vocab, shift = self.vocab, 0
        if other.vocab is not self.vocab:
            vocab, shift = pl.concat([self.vocab, other.vocab], rechunk=True), len(self.vocab)
        moved = np.where(other.index >= 0, other.index + np.int32(shift), np.int32(MISSING))
        return Answer(vocab, np.where(where, moved, self.index).astype(np.int32))

    def take(self, rows: npt.NDArray[Any]) -> Answer:
        """These rows (positions or booleans)."""
        return Answer(self.vocab, self.index[rows])

    def texts(self) -> pl.Series:
        """The text of every row, null where missing."""
        found = pl.Series(np.where(self.index < 0, 0, self.index))
        return self.vocab.gather(found).set(pl.Series(self.index < 0), None)


@dataclass
class Sheet:
    """Answers of many rows to the same fields: ``index[row, field]`` is a position in ``vocab``, or MISSING."""

    fields: list[str]
    vocab: pl.Series
    index: I32

    def take(self, rows: npt.NDArray[Any]) -> Sheet:
        """These rows (positions or booleans)."""
        return Sheet(self.fields, self.vocab, self.index[rows])

    def pack(self, key: str) -> pl.Series:
        """A list a row of structs (``key``: the field's uid, ``value``), fields in order, without the missing."""
        present = self.index >= 0
        offsets = np.zeros(len(self.index) + 1, dtype=np.int64)
        np.cumsum(present.sum(axis=1), out=offsets[1:])
        column = np.broadcast_to(np.arange(len(self.fields), dtype=np.int32), self.index.shape)[present]
        value = self.vocab.gather(pl.Series(self.index[present]))
        names = pl.Series(self.fields, dtype=pl.String).gather(pl.Series(column))
        pairs = pl.DataFrame({key: names, "value": value}).to_struct()
        arrow = pairs.to_arrow(compat_level=pl.CompatLevel.newest())
        return pl.Series(pa.LargeListArray.from_arrays(pa.array(offsets), arrow))


def sheet(fields: Mapping[str, Answer], size: int, base: Sheet | None = None) -> Sheet:
    """Fields (uid -> answer) side by side; ``base`` holds columns to start from, overwritten where given again."""
    names = list(base.fields) if base else []
    names += [name for name in fields if name not in names]
    vocab, shifts, total = ([base.vocab], {}, len(base.vocab)) if base else ([], {}, 0)
    index = np.full((size, len(names)), MISSING, dtype=np.int32, order="F")
    if base:
        index[:, : len(base.fields)] = base.index
    position = {name: at for at, name in enumerate(names)}
    for name, answer in fields.items():
        if id(answer.vocab) not in shifts:
            shifts[id(answer.vocab)] = total
            vocab.append(answer.vocab)
            total += len(answer.vocab)
        shift = np.int32(shifts[id(answer.vocab)])
        index[:, position[name]] = np.where(answer.index < 0, np.int32(MISSING), answer.index + shift)
    whole = pl.concat(vocab, rechunk=True) if vocab else pl.Series([], dtype=pl.String)
    return Sheet(names, whole, index)


def chosen(texts: Sequence[str], index: npt.NDArray[Any]) -> Answer:
    """One of a few texts in every row."""
    return Answer(pl.Series(list(texts), dtype=pl.String), np.asarray(index, dtype=np.int32))
