"""Whether a key was seen twice: the same answer in memory and on disk, however the keys come in batches."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hic_assets.landing import duplicates

BATCHES = st.lists(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5), max_size=20), max_size=6)


@pytest.mark.parametrize("in_memory", [0, 3, 1 << 20])
@given(batches=BATCHES)
def test_repeated_if_and_only_if_a_hash_came_twice(in_memory: int, batches: list[list[int]]) -> None:
    every = [value for batch in batches for value in batch]
    kept = duplicates._IN_MEMORY
    duplicates._IN_MEMORY = in_memory
    try:
        with tempfile.TemporaryDirectory() as folder:
            keys = duplicates.KeyHashes(Path(folder))
            for batch in batches:
                keys.add(pl.Series(batch, dtype=pl.UInt64))
            assert keys.any_repeated() == (len(every) != len(set(every)))
            keys.close()
    finally:
        duplicates._IN_MEMORY = kept
