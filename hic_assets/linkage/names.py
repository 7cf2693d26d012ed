"""Names made comparable: one spelling for the many that a name has, in no order.

Belongs here: text of names and places. Does not belong here: what agreement of names is worth (``model``).
Source: domain trap 11: surname and given name change places between systems; r/l, c/k/ch, y/i and doubled letters are
one sound; accents and blanks come and go.
"""

from __future__ import annotations

import string

import polars as pl

# Who has no name yet is written under the mother's; the words stand before hers.
UNNAMED = r"^(?:BABY(?: BOY| GIRL)?(?: OF)?|BEBE(?: DE)?|UMWANA(?: WA)?|NEWBORN(?: OF)?|NOUVEAU NE(?: DE)?|ENFANT(?: DE)?)\b *"
NO_NAME = ("UNKNOWN", "INCONNU", "INCONNUE", "UNNAMED", "NA", "NONE", "NULL", "TEST", "X", "XX", "XXX")
_SOUNDS = {"CH": "K", "KH": "K", "CK": "K", "PH": "F", "TH": "T", "C": "K", "Q": "K", "L": "R", "Y": "I"}
_DOUBLED = {letter * 2: letter for letter in string.ascii_uppercase}


def plain(text: pl.Expr) -> pl.Expr:
    """Capital letters and single blanks: no accents, marks, or digits. Null where nothing is left."""
    letters = text.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_uppercase()
    words = letters.str.replace_all(r"['\x{2019}`]", "").str.replace_all(r"[^A-Z]+", " ").str.strip_chars()
    return pl.when(words.is_in(["", *NO_NAME])).then(None).otherwise(words)


def sounds(words: pl.Expr) -> pl.Expr:
    """``plain`` words spelt as they sound: R and L, C, K and CH, Y and I are one letter, doubled letters single."""
    spelt = words.str.replace_many(list(_SOUNDS), list(_SOUNDS.values()), leftmost=True)
    for _ in range(2):
        spelt = spelt.str.replace_many(list(_DOUBLED), list(_DOUBLED.values()))
    return spelt


def tokens(words: pl.Series) -> pl.Series:
    """The different words of at least two letters, in the order of the alphabet; null where there is none."""
    # Sorted as a column and not list by list, which costs some thirty times more; and every text once.
    single = pl.DataFrame({"words": words.unique().drop_nulls()}).with_columns(word=pl.col("words").str.split(" "))
    single = single.explode("word").filter(pl.col("word").str.len_chars() > 1).unique().sort("words", "word")
    lists = single.group_by("words", maintain_order=True).agg("word")
    return words.to_frame("words").join(lists, on="words", how="left", maintain_order="left")["word"]


def name_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """With ``name_tokens`` and ``mother_tokens`` (how they sound) and ``name_key``, ``mother_key`` (joined).

    A child that has no name yet ("Baby of MUKAMANA") has none here; the rest is the mother's where hers is missing.
    """
    whole = pl.concat_str("surname", "given_name", separator=" ", ignore_nulls=True)
    named = frame.with_columns(_name=plain(whole), _mother=plain(pl.col("mother_name")))
    rest = pl.col("_name").str.replace(UNNAMED, "")
    unnamed = pl.col("_name").str.contains(UNNAMED)
    named = named.with_columns(
        _name=pl.when(~unnamed).then("_name"),
        _mother=pl.coalesce("_mother", pl.when(unnamed & (rest.str.len_chars() > 1)).then(rest)),
    )
    named = named.with_columns(sounds(pl.col("_name", "_mother")))
    named = named.with_columns(name_tokens=tokens(named["_name"]), mother_tokens=tokens(named["_mother"]))
    return named.with_columns(
        name_key=pl.col("name_tokens").list.join(" "), mother_key=pl.col("mother_tokens").list.join(" ")
    ).drop("_name", "_mother")


def place(text: pl.Expr) -> pl.Expr:
    """A district, sector, cell or village as it sounds, without the word for its level; codes stay as they are."""
    words = plain(text).str.replace(r" (?:SECTOR|DISTRICT|CELL|VILLAGE)$", "")
    code = text.str.strip_chars().str.contains(r"^\d+$")
    return pl.when(code).then(text.str.strip_chars().str.strip_chars_start("0")).otherwise(sounds(words))
