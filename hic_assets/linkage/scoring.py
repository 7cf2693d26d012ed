"""How much speaks for two records being one person, for every pair that shares a key.

Belongs here: pairs from blocks, in pieces of bounded size, weighed by Splink. Does not belong here: what follows from a
weight (``verdict``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl
from splink import Linker

from hic_assets.linkage.engine import linker, put
from hic_assets.linkage.model import Model

PIECE = 4_000_000
"""Pairs weighed at once: what bounds memory."""
_PAIRS = """
select distinct '0' as match_key, least(a.id, b.id) as join_key_l, greatest(a.id, b.id) as join_key_r
from blocks a join blocks b using (block)
where a.fresh and a.id <> b.id and (not b.fresh or a.id < b.id) and a.id % {pieces} = {piece}
"""


@dataclass(frozen=True)
class Scored:
    """``pairs``: id_l, id_r (left smaller), weight, ``weight_*``, ``level_*``; ``compared``: how many were weighed."""

    pairs: pl.DataFrame
    compared: int


def score(
    frame: pl.DataFrame, blocks: pl.DataFrame, fresh: pl.Series, model: Model, names: Sequence[str], lowest: float
) -> Scored:
    """Weigh every pair that shares a block and has a fresh record in it; keep those of ``lowest`` and more.

    ``frame`` is ``NORMALISED`` with ``id``, ``blocks`` has id and block, ``fresh`` is one boolean a row of ``frame``.
    """
    marked = blocks.join(frame.select("id", fresh=fresh), on="id", how="inner")
    # Blocks without a fresh record, and records that share none, cannot make a pair.
    marked = marked.filter(pl.col("fresh").any().over("block"))
    seen = frame.join(marked.select("id").unique(), on="id", how="semi")
    kinds = {"id_l": pl.UInt32, "id_r": pl.UInt32, "weight": pl.Float64}
    kinds |= {f"weight_{n}": pl.Float64 for n in names} | {f"level_{n}": pl.Int32 for n in names}
    found, compared = [pl.DataFrame(schema=kinds)], 0
    if seen.height:
        with linker(seen, model.splink(), model.lookups(seen)) as made:
            put(made, "blocks", marked)
            for pairs, many in _pieces(made, _expected(marked), names, lowest):
                found.append(pairs.cast(kinds))  # type: ignore[arg-type]
                compared += many
    return Scored(pl.concat(found).sort("id_l", "id_r"), compared)


def _expected(marked: pl.DataFrame) -> int:
    """Pairs in all blocks; one that meets in two counts twice."""
    sizes = marked.group_by("block").agg(n=pl.len().cast(pl.Int64), f=pl.col("fresh").sum().cast(pl.Int64))
    n, f = pl.col("n"), pl.col("f")
    return int(sizes.select((f * (n - f) + f * (f - 1) // 2).sum()).item())


def _pieces(made: Linker, expected: int, names: Sequence[str], lowest: float) -> Iterator[tuple[pl.DataFrame, int]]:
    connection, api = made._db_api.duckdb_con, made._db_api
    pieces = 1 + expected // PIECE
    for piece in range(pieces):
        connection.execute(f"create or replace table pairs as {_PAIRS.format(pieces=pieces, piece=piece)}")
        ((compared,),) = connection.execute("select count(*) from pairs").fetchall()
        if not compared:
            continue
        made.table_management.register_blocked_pairs_for_predict(api.register("pairs"))
        weighed = made.inference.predict(threshold_match_weight=lowest)
        columns = weighed.as_duckdbpyrelation().columns
        query = f"select {_columns(names, columns)} from {weighed.physical_name}"
        yield pl.DataFrame(connection.sql(query).to_arrow_table()), int(compared)
        weighed.drop_table_from_database_and_remove_from_cache()


def _columns(names: Sequence[str], there: Sequence[str]) -> str:
    """The columns of ``Scored.pairs`` from those of Splink."""
    parts = ["id_l", "id_r", "match_weight as weight"]
    for name in names:
        adjusted = f" + mw_tf_adj_{name}" if f"mw_tf_adj_{name}" in there else ""
        parts.append(f"mw_{name}{adjusted} as weight_{name}")
    return ", ".join(parts + [f"gamma_{name} as level_{name}" for name in names])
