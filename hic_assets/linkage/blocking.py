"""Which pairs of records are compared: those that share one of a few keys.

Belongs here: the keys, and the pairs of records with one in common. Does not belong here: how alike they are. A key that
too many records share is left out and counted, so the number of pairs grows with that of records: at most
``LARGEST`` / 2 a record and key, and in a country some tens in all.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

LARGEST = 400
"""Records that share one key, at most: a common name born in one year in one sector is met less often in real life."""


def _joined(*parts: str) -> pl.Expr:
    """One text of columns; null where one of them is."""
    return pl.concat_str([pl.col(p).cast(pl.String) for p in parts], separator="|", ignore_nulls=False)


def person_keys(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """By rule: id and key of the records that have one. ``frame`` is ``NORMALISED`` with ``id``.

    Identifiers first; then birth, names, place and mother two or three at a time, so that a slip in any one leaves a rule in
    which the two records meet.
    """
    token = frame.explode("name_tokens")
    numbers = frame.explode("programme_numbers")
    rules: dict[str, tuple[pl.DataFrame, tuple[str, ...]]] = {
        "national ID": (frame, ("nid13",)),
        "UPI": (frame, ("upi",)),
        "programme number": (numbers, ("programme_numbers",)),
        "phone and sex": (frame, ("phone", "sex")),
        "names and year of birth": (frame, ("name_key", "birth_year")),
        "names and sector": (frame, ("name_key", "sector")),
        "names, district and village": (frame, ("name_key", "district", "village")),
        "day of birth and a name": (token, ("birth_canon", "name_tokens")),
        "day of birth and mother": (frame, ("birth_canon", "mother_key")),
        "day of birth and mother's ID": (frame, ("birth_canon", "mother_nid13")),
        "day of birth, sector and sex": (frame, ("birth_canon", "sector", "sex")),
        "mother and sector": (frame, ("mother_key", "sector")),
        "a name, year of birth and sector": (token, ("name_tokens", "birth_year", "sector", "sex")),
    }
    return {rule: keys(rows, columns) for rule, (rows, columns) in rules.items()}


def keys(rows: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    """Id and key of the rows that have all of the columns."""
    return rows.select("id", key=_joined(*columns)).drop_nulls("key").unique()


def blocks(rules: Mapping[str, pl.DataFrame], fresh: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Columns id, block of all rules, and what was left out (rule, blocks, records).

    Blocks of one record are no blocks, nor are those without a record of ``fresh`` (column id). A block is a number, the same for the same rule and key in one run only.
    """
    kept, left = [], []
    for rule, rows in rules.items():
        met = rows.join(fresh, on="id", how="semi").select("key").unique()
        sized = rows.join(met, on="key", how="semi").with_columns(size=pl.len().over("key")).filter(pl.col("size") > 1)
        large = sized.filter(pl.col("size") > LARGEST)
        if large.height:
            left.append({"rule": rule, "blocks": large["key"].n_unique(), "records": large.height})
        small = sized.filter(pl.col("size") <= LARGEST)
        kept.append(small.select("id", rule=pl.lit(rule), block=pl.col("key").rank("dense").cast(pl.UInt32)))
    whole = pl.concat(kept)
    offsets = whole.group_by("rule", maintain_order=True).agg(most=pl.col("block").max().cast(pl.Int64))
    offsets = offsets.with_columns(before=pl.col("most").cum_sum() - pl.col("most"))
    numbered = whole.join(offsets, on="rule").select("id", block=pl.col("block").cast(pl.Int64) + pl.col("before"))
    return numbered, pl.DataFrame(left, schema={"rule": pl.String, "blocks": pl.Int64, "records": pl.Int64})
