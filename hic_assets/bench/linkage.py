"""How well and how fast records of the sandbox's systems, and of FEBRL, are put together.

Belongs here: what is measured. Does not belong here: thresholds, which are the engine's own. The countries have seeds that the model
was not trained on. The truth is asked for scores only.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from hic_assets.bench import febrl
from hic_assets.bench.harness import in_process, peak_mb
from hic_assets.bench.linkage_records import sandbox_records
from hic_assets.linkage import Linked, accuracy, link, load
from hic_assets.linkage.model import POPULATION
from hic_assets.linkage.names import plain
from hic_assets.linkage.schema import IDENTITY
from hic_assets.sandbox.world.country import World

Rows = list[dict[str, Any]]
SEED, SCALE = 5, 0.05
RECORDS_AT_SCALE_ONE = 3_600_000
"""Of the default clock, about; only sets how near a size is hit."""
SECRET = b"a secret of the benchmark"
NUMBERS = ("nid", "mother_nid", "upi", "programme_numbers")
WEEK = 0.01
"""Of the records, those that come in the run after the first."""


def measure(sizes: Sequence[int], warehouse: Any, say: Callable[[str], None]) -> dict[str, Rows]:
    """Tables: accuracy, by system pair and by noise (sandbox), FEBRL, and time and memory by size."""
    # First, while this process is small: a process begins with the peak memory of the one that started it.
    grown = growth(sizes, warehouse, say)
    say(f"a country at scale {SCALE}")
    records, truth = sandbox_records(World(seed=SEED, scale=SCALE))
    tables: dict[str, Rows] = {"accuracy": [], "pairs": [], "noise": []}
    for what, left in (("all fields", ()), ("no identifier", NUMBERS), ("nor phone", (*NUMBERS, "phone"))):
        say(f"{records.height:,} records, {what}")
        scores = _scored(records.drop(left), truth, SCALE)
        tables["accuracy"] += [{"records": what, "of": of, **score.row()} for of, score in scores["whole"].items()]
        if what != "nor phone":
            for table in ("pairs", "noise"):
                tables[table] += [{"records": what, "of": of, **s.row()} for of, s in scores[table].items()]
    say("FEBRL")
    tables["febrl"] = [
        {"data_set": n, "soc_sec_id": number, **febrl.measure(n, number).row()}
        for n in (3, 4)
        for number in (False, True)
    ]
    return {**tables, "growth": grown}


def _scored(records: pl.DataFrame, truth: pl.DataFrame, scale: float) -> dict[str, dict[str, accuracy.Score]]:
    model = load().of_population(round(POPULATION * scale))
    assigned = link(records, secret=SECRET, run=1, model=model).assignments
    pairs = accuracy.compared(assigned, truth)
    left, right = pl.min_horizontal("system_l", "system_r"), pl.max_horizontal("system_l", "system_r")
    return {
        "whole": {"pairs": accuracy.score(pairs), "persons": accuracy.persons(assigned, truth)},
        "pairs": accuracy.by_class(pairs, left + " + " + right),
        "noise": {name: accuracy.score(rows) for name, rows in noise(pairs, records).items()},
    }


def noise(pairs: pl.DataFrame, records: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The pairs that differ in one way or another, as far as their records show it; a pair may be in several."""
    seen = records.select(
        *IDENTITY, "sex", "birth_date",
        surname=plain(pl.col("surname")), given=plain(pl.col("given_name")),
        unnamed=plain(pl.coalesce("surname", pl.lit("BABY"))).str.starts_with("BABY"),
        year_only=(pl.col("birth_date").dt.ordinal_day() == 1) | (pl.col("birth_precision") != "day"),
        sex1=pl.col("sex").str.to_uppercase().replace({"1": "M", "2": "F", "MALE": "M", "FEMALE": "F", "GABO": "M", "GORE": "F"}),
    ).drop("sex")  # fmt: skip
    both = pairs
    for side in "lr":
        both = both.join(seen.select(pl.all().name.suffix(f"_{side}")), on=[f"{c}_{side}" for c in IDENTITY])
    born_l, born_r = pl.col("birth_date_l"), pl.col("birth_date_r")
    named = ~pl.col("unnamed_l") & ~pl.col("unnamed_r")
    exchanged = (born_l.dt.day() == born_r.dt.month()) & (born_l.dt.month() == born_r.dt.day())
    year_only = pl.col("year_only_l") | pl.col("year_only_r")
    fields = pl.col("given_l").is_not_null() & pl.col("given_r").is_not_null()
    kinds = {
        "nothing differs": named & (pl.col("surname_l") == pl.col("surname_r")) & (pl.col("given_l").eq_missing(pl.col("given_r"))) & (born_l == born_r),
        "a child without a name": ~named,
        "names exchanged": fields & (pl.col("surname_l") == pl.col("given_r")) & (pl.col("given_l") == pl.col("surname_r")),
        "names spelt otherwise": named & fields & ((pl.col("surname_l") != pl.col("surname_r")) | (pl.col("given_l") != pl.col("given_r"))),
        "birth not known": born_l.is_null() | born_r.is_null(),
        "only the year of birth": year_only,
        "day and month exchanged": exchanged & (born_l != born_r),
        "another day or year": (born_l != born_r) & ~exchanged & ~year_only,
        "another sex": pl.col("sex1_l") != pl.col("sex1_r"),
    }  # fmt: skip
    return {name: both.filter(holds) for name, holds in kinds.items()}


def growth(sizes: Sequence[int], warehouse: Any, say: Callable[[str], None]) -> Rows:
    """One row a size: a first run over all but a hundredth of the records, then that hundredth against them."""
    rows: Rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="hic-linkage-") as folder:
            say(f"{size:,} records: making them")
            in_process("hic_assets.bench.linkage", ["make", folder, str(size)], {}, warehouse)
            say(f"{size:,} records: linking")
            rows.append(in_process("hic_assets.bench.linkage", ["run", folder, str(size)], {}, warehouse))
    for before, row in zip([None, *rows], rows, strict=False):
        grew = before and math.log(row["records"] / before["records"])
        row["seconds_grow"] = round(math.log(row["seconds"] / before["seconds"]) / grew, 2) if before and grew else None
        row["pairs_grow"] = round(math.log(row["compared"] / before["compared"]) / grew, 2) if before and grew else None
    return rows


def _make(folder: Path, size: int) -> dict[str, Any]:
    """So many records of a country, all of a person or none, in two files; and the truth."""
    world = World(seed=SEED + 1, scale=max(0.003, 1.08 * size / RECORDS_AT_SCALE_ONE))
    records, truth = sandbox_records(world)
    order = truth.with_columns(at=pl.col("person").hash(1)).sort("at", *IDENTITY).head(size)
    chosen = records.join(order, on=IDENTITY, how="semi")
    late = pl.struct(IDENTITY).hash(2) % 1000 < round(1000 * WEEK)
    chosen.filter(~late).write_parquet(folder / "first.parquet")
    chosen.filter(late).write_parquet(folder / "later.parquet")
    truth.write_parquet(folder / "truth.parquet")
    return {"records": chosen.height}


def _run(folder: Path, size: int) -> dict[str, Any]:
    first, later = (pl.read_parquet(folder / f"{n}.parquet") for n in ("first", "later"))
    model = load().of_population(round(POPULATION * size / RECORDS_AT_SCALE_ONE))
    begun = time.perf_counter()
    known = link(first, secret=SECRET, run=1, model=model)
    seconds, peak, compared = time.perf_counter() - begun, peak_mb(), known.compared
    spent = time.process_time()
    begun = time.perf_counter()
    known = link(later, Linked(known.records, known.assignments, known.pairs), secret=SECRET, run=2, model=model)
    again, spent_again = time.perf_counter() - begun, time.process_time() - spent
    whole = accuracy.score(accuracy.compared(known.assignments, pl.read_parquet(folder / "truth.parquet")))
    return {
        "records": first.height,
        "compared": compared,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(spent, 1),
        "peak_mb": round(peak),
        "new_records": later.height,
        "new_compared": known.compared,
        "new_seconds": round(again, 1),
        "new_cpu_seconds": round(spent_again, 1),
        "f1": round(whole.f1, 4),
    }


if __name__ == "__main__":
    print(json.dumps({"make": _make, "run": _run}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))))  # noqa: T201
