"""Writes series.csv: weekly counts whose upper bounds R is asked for. Same numbers each time with the same numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

WEEKS = 320
SEED = 20260722


def series() -> dict[str, np.ndarray]:
    """Counts of 320 weeks by name; NaN is a week without a report."""
    draw = np.random.default_rng(SEED)
    week = np.arange(WEEKS)
    season = np.sin(2 * np.pi * week / 52)
    made = {
        "low": draw.poisson(0.8, WEEKS),
        "seasonal": draw.poisson(20 * np.exp(0.6 * season)),
        "rising": draw.poisson(8 * np.exp(0.006 * week)),
        "falling": draw.poisson(60 * np.exp(-0.005 * week)),
        "outbreaks": draw.poisson(12, WEEKS),
        "overdispersed": draw.negative_binomial(30 / 5, 1 / 6, WEEKS),
        "zero": np.zeros(WEEKS, dtype=int),
        "first_cases": np.zeros(WEEKS, dtype=int),
        "sparse_season": draw.poisson(np.where(season > 0.3, 3.0, 0.0)),
        "large": draw.negative_binomial(400, 400 / (400 + 3000 * np.exp(0.3 * season))),
        "missing": draw.poisson(15 * np.exp(0.4 * season)),
    }
    for start, size in [(100, 40), (101, 60), (102, 35), (180, 50), (181, 30), (290, 25), (291, 40), (292, 30)]:
        made["outbreaks"][start] += size
    made["overdispersed"][300] += 90
    made["first_cases"][[285, 286, 300]] = [3, 4, 9]
    made["sparse_season"][295:298] += np.array([4, 9, 6])
    made["low"][305:307] += np.array([4, 7])
    made["large"][310] *= 2
    floats = {name: values.astype(float) for name, values in made.items()}
    floats["missing"][draw.random(WEEKS) < 0.08] = np.nan
    floats["missing"][[288, 289]] = np.nan
    # ISO weeks from 2015W01, by date: 2015 and 2020 have 53, so that the peak wanders by position.
    day = 7.0 * week + 3
    floats["weeks_53"] = draw.poisson(25 * np.exp(0.8 * np.cos(2 * np.pi * day / 365.2425))).astype(float)
    return floats


def main() -> None:
    made = series()
    lines = ["week," + ",".join(made)]
    for week in range(WEEKS):
        cells = ["NA" if np.isnan(values[week]) else str(int(values[week])) for values in made.values()]
        lines.append(",".join([str(week + 1), *cells]))
    (Path(__file__).parent / "series.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
