"""The keys of persons, which stay when clusters change.

Belongs here: which cluster inherits which key, new keys, and what happened (``EVENTS``). Does not belong here: the clusters.
A key is a keyed hash of the person's first record: without the secret nobody can make or recognise it.
"""

from __future__ import annotations

import hashlib
import hmac

import polars as pl

from hic_assets.linkage.schema import ASSIGNMENTS, EVENTS, IDENTITY


def person_key(secret: bytes, system: str, record_id: str, turn: int = 0) -> str:
    """32 hexadecimal digits; ``turn`` is how many keys of this record are taken already.

    Raises:
        ValueError: the secret is shorter than 16 bytes, and could be guessed.
    """
    if len(secret) < 16:
        raise ValueError("the secret of person keys must have 16 bytes at least")
    text = "\x1f".join((system, record_id, *([str(turn)] if turn else [])))
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()[:32]


def assign(members: pl.DataFrame, before: pl.DataFrame, secret: bytes, run: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Assignments (``ASSIGNMENTS``) and events (``EVENTS``).

    ``members`` has system, record_id and cluster; ``before`` is ``ASSIGNMENTS`` (of records that are no more, too). A key goes
    where most of its records went, at a tie with the first of them. Of the keys a cluster inherits the oldest stays. A cluster
    that inherits none gets one of its own, which says nothing of the old one; never one that this run takes from somebody. A
    merge that is undone in a later run brings the key back that its first record had.
    """
    known = members.join(before, on=IDENTITY, how="inner").sort(IDENTITY)
    went = (
        known.group_by("person_key", "since", "cluster", maintain_order=True)
        .agg(pl.col(IDENTITY).first(), n=pl.len())
        .sort(["person_key", "n", *IDENTITY], descending=[False, True, False, False])
        .with_columns(main=pl.int_range(pl.len()).over("person_key") == 0)
    )
    inherited = went.filter("main").sort("since", "person_key").unique("cluster", keep="first", maintain_order=True)
    kept = inherited.select("cluster", "person_key", "since")
    heads = (
        members.join(kept, on="cluster", how="anti").sort(IDENTITY).unique("cluster", keep="first", maintain_order=True)
    )
    made = _new_keys(heads, set(before["person_key"].to_list()), secret)
    fresh = heads.select("cluster", person_key=pl.Series(made, dtype=pl.String), since=pl.lit(run, dtype=pl.Int64))
    keys = pl.concat([kept, fresh])
    assigned = members.join(keys, on="cluster").select(list(ASSIGNMENTS)).sort(IDENTITY)
    return assigned, _events(went, keys, kept)


def _new_keys(heads: pl.DataFrame, taken: set[str], secret: bytes) -> list[str]:
    made: list[str] = []
    for system, record_id in heads.select(IDENTITY).iter_rows():
        turn = 0
        while (key := person_key(secret, system, record_id, turn)) in taken:
            turn += 1
        taken.add(key)
        made.append(key)
    return made


def _events(went: pl.DataFrame, keys: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """Every old key whose records are now under another one."""
    now = went.join(keys.select("cluster", now="person_key"), on="cluster").filter(
        pl.col("now") != pl.col("person_key")
    )
    alive = pl.col("person_key").is_in(kept["person_key"].implode())
    old = pl.col("now").is_in(kept["person_key"].implode())
    event = pl.when(~alive).then(pl.lit("merged")).when(old).then(pl.lit("moved")).otherwise(pl.lit("split"))
    said = now.with_columns(event=event)
    # Of a merge the key that stays stands first, of a split the one that was there.
    first = pl.when(event == "merged").then("now").otherwise("person_key")
    other = pl.when(event == "merged").then("person_key").otherwise("now")
    said = now.select(event=event, person_key=first, other_key=other, records=pl.col("n").cast(pl.Int64))
    return said.select(pl.col(c).cast(kind) for c, kind in EVENTS.items()).sort("event", "person_key", "other_key")
