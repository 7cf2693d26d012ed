"""Counter-based randomness: every number is a hash of what it is about, so nothing has to be remembered.

Belongs here: keys, mixing, and turning hashes into uids, uniforms and near-normal noise.
Does not belong here: what the numbers mean.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALPHABET = _LETTERS + "0123456789"


def key(*parts: object) -> np.uint64:
    """A stable 64-bit key of any parts (the same in every process and Python version)."""
    text = "\x1f".join(str(part) for part in parts)
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big"))


def keys(prefix: object, names: list[str]) -> U64:
    """One key per name."""
    return np.array([key(prefix, name) for name in names], dtype=np.uint64)


def uid(*parts: object) -> str:
    """A DHIS2 uid: 11 characters, the first a letter."""
    text = "\x1f".join(str(part) for part in parts)
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")
    number, first = divmod(number, len(_LETTERS))
    characters = [_LETTERS[first]]
    for _ in range(10):
        number, index = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[index])
    return "".join(characters)


def mix(values: U64) -> U64:
    """The splitmix64 finaliser; overflow wraps, which is what is wanted."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: U64 = z ^ (z >> np.uint64(31))
    return result


def salted(values: U64, *salt: object) -> U64:
    """Hash ``values`` for one purpose; different salts give unrelated streams."""
    return mix(np.atleast_1d(values) ^ key(*salt))


def cross(rows: U64, columns: U64) -> U64:
    """The hash of every (row, column) pair, shape (rows, columns)."""
    return mix(mix(rows)[:, None] ^ (columns * np.uint64(0x9E3779B97F4A7C15))[None, :])


def uniform(hashes: U64) -> F64:
    """Uniform in [0, 1)."""
    result: F64 = (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return result


def normal(hashes: U64) -> F64:
    """Near-normal with mean 0 and deviation 1: the sum of four 16-bit uniforms, within +-3.46."""
    part = np.uint64(0xFFFF)
    total = np.zeros(hashes.shape)
    for shift in (0, 16, 32, 48):
        total += (hashes >> np.uint64(shift) & part).astype(np.float64)
    result: F64 = (total / 65536.0 - 2.0) * 1.7320508
    return result
