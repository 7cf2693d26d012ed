"""Reads the numbers R gave (reference/README.md). No tests here."""

from __future__ import annotations

import csv
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "reference"
# Both are double precision by the same steps; R's numbers are written with 13 digits.
TIGHT = 1e-9


def number(text: str) -> float:
    return np.nan if text == "NA" else float(text)


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(newline="") as file:
        return list(csv.DictReader(file))


def column(lines: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([number(line[name]) for line in lines])


@cache
def series() -> dict[str, np.ndarray]:
    lines = rows("series.csv")
    return {name: column(lines, name) for name in lines[0] if name != "week"}


@cache
def groups(name: str, *keys: str) -> dict[tuple[str, ...], list[dict[str, str]]]:
    found = defaultdict(list)
    for line in rows(name):
        found[tuple(line[key] for key in keys)].append(line)
    return dict(found)
