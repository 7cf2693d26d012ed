"""What people come with: conditions by age, sex, season and place, whatever a system calls them.

Belongs here: the truth behind diagnoses. Does not belong here: codes of a system. Source: domain facts 2.3 (priority
diagnoses), 2.6 (19 of 30 districts are high-endemic for malaria), trap 19. Weights are relative [D].
"""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from hic_assets.sandbox.world.geography import read_csv
from hic_assets.sandbox.world.hashing import F64, U64, keys, salted, uniform
from hic_assets.sandbox.world.trackers.packing import I64, Bools

SEASONS: dict[str, tuple[float, ...]] = {
    "malaria": (1.0, 0.8, 0.8, 0.9, 1.4, 1.5, 1.0, 0.7, 0.6, 0.8, 1.5, 1.6),
    "dry": (1.2, 1.1, 0.9, 0.8, 0.8, 1.2, 1.4, 1.4, 1.2, 0.9, 0.8, 0.9),
    "rains": (0.9, 0.9, 1.15, 1.25, 1.15, 0.9, 0.8, 0.8, 0.9, 1.15, 1.25, 1.1),
}
HIGH, LOW = 1.5, 0.25
"""What malaria weighs in a district of high and of low endemicity."""
ENDEMIC_DISTRICTS = 19
YEAR = 365.25


@cache
def table() -> pl.DataFrame:
    """One row a condition, in the order of positions: condition, icd10, icd11 (the right codes; empty where none was
    confirmed), under5, child, adult (weights), sex (F, M or null), season, tests (panels).
    """
    return read_csv("clinical/conditions.csv").with_columns(pl.col("under5", "child", "adult").cast(pl.Float64))


@cache
def position(condition: str) -> int:
    """The position of a condition by name."""
    return table()["condition"].to_list().index(condition)


def endemic(seed: int, districts: list[str]) -> Bools:
    """Whether malaria is endemic there, by district code: the lowlands of the East and South first, by lot."""
    codes = sorted(set(districts))
    draws = uniform(keys((seed, "endemic"), codes)) - np.array([{"5": 0.6, "2": 0.3}.get(c[0], 0.0) for c in codes])
    order = np.argsort(draws, kind="stable")
    chosen = {codes[i] for i in order[: round(ENDEMIC_DISTRICTS * len(codes) / 30)]}
    return np.array([c in chosen for c in districts])


@cache
def _edges(month: int) -> F64:
    """Cumulated weights by (age group, sex, endemicity) and condition for a month of the year (1 to 12)."""
    t = table()
    factor = np.array([SEASONS[s][month - 1] if s else 1.0 for s in t["season"]])
    malaria = (t["season"] == "malaria").fill_null(False).to_numpy()
    rows = []
    for group in ("under5", "child", "adult"):
        for sex in ("M", "F"):
            fits = t["sex"].is_null().to_numpy() | (t["sex"] == sex).fill_null(False).to_numpy()
            for level in (LOW, HIGH):
                weights = t[group].to_numpy() * factor * fits * np.where(malaria, level, 1.0)
                rows.append(np.cumsum(weights) / weights.sum())
    return np.array(rows)


def drawn(hashes: U64, salt: object, age_days: I64, female: Bools, high: Bools, month: int) -> I64:
    """A condition (position) for every hash."""
    group = np.where(age_days < 5 * YEAR, 0, np.where(age_days < 18 * YEAR, 1, 2))
    row = group * 4 + female * 2 + high
    edges, u = _edges(month), uniform(salted(hashes, "condition", salt))
    found = np.zeros(len(hashes), dtype=np.int64)
    for one in range(len(edges)):
        at = np.nonzero(row == one)[0]
        found[at] = np.minimum(np.searchsorted(edges[one], u[at], side="right"), edges.shape[1] - 1)
    return found


def coded(codes: pl.DataFrame) -> dict[int, list[int]]:
    """Which rows of a system's list of diagnoses (column ``conditions``: names by |) stand for a condition."""
    found: dict[int, list[int]] = {}
    for row, names in enumerate(codes["conditions"].str.split("|").to_list()):
        for name in names:
            found.setdefault(position(name), []).append(row)
    missing = set(range(table().height)) - set(found)
    if missing:
        raise ValueError(f"no code for {[table()['condition'][i] for i in sorted(missing)]}")
    return found


def code_rows(codes: pl.DataFrame) -> I64:
    """By condition: the row of the system's list that stands for it."""
    found = coded(codes)
    return np.array([found[i][0] for i in range(table().height)], dtype=np.int64)
