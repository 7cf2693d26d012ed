"""Common Rwandan names, and how else they are spelt.

Belongs here: the words of ``data/trackers/names.csv`` and their spellings. A Rwandan has a surname of his own (parents and children usually differ) and one or more
given names, French or English. Nobody in particular bears these. Source: domain trap 11.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import polars as pl

from hic_assets.sandbox.world.geography import read_csv


def _words(kind: str) -> list[str]:
    return read_csv("trackers/names.csv").filter(kind=kind)["name"].to_list()


# borne by men and women; those of women only follow
SURNAMES = _words("surname")
ALL_SURNAMES = SURNAMES + _words("woman's surname")
MEN_GIVEN, WOMEN_GIVEN = _words("man's given name"), _words("woman's given name")
ALL_GIVEN = MEN_GIVEN + WOMEN_GIVEN
VILLAGES = _words("village")
RIGHT, R_L, C_K, Y_I, LETTERS, CAPITALS, BLANK = SPELLINGS = range(7)


def _exchange(name: str, one: str, other: str) -> str:
    """The first of two letters after the initial becomes the other one."""
    for at, letter in enumerate(name[1:], 1):
        if letter in (one, other):
            return name[:at] + (other if letter == one else one) + name[at + 1 :]
    return name


def _letters(name: str) -> str:
    """Accents lost where there are any, else a letter dropped from a pair or doubled."""
    plain = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    if plain != name:
        return plain
    for at in range(1, len(name) - 1):
        if name[at] == name[at + 1]:
            return name[:at] + name[at + 1 :]
    return name[:3] + name[2:]


def spelt(name: str, how: int) -> str:
    """A name in one of the SPELLINGS."""
    if how == C_K:
        return name.replace("C", "K", 1) if name.startswith("C") else _exchange(name, "k", "c")
    if how == R_L:
        return _exchange(name, "r", "l")
    if how == Y_I:
        return _exchange(name, "y", "i")
    if how == LETTERS:
        return _letters(name)
    if how == CAPITALS:
        return name.upper()
    return name + " " if how == BLANK else name


@cache
def spellings(given: bool) -> pl.Series:
    """All surnames (or given names) in all spellings: name * len(SPELLINGS) + spelling."""
    words = ALL_GIVEN if given else ALL_SURNAMES
    return pl.Series([spelt(w, how) for w in words for how in SPELLINGS], dtype=pl.String)
