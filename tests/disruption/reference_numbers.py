"""Reads the numbers R gave (reference/README.md). No tests here."""

from __future__ import annotations

from pathlib import Path

import polars as pl

FOLDER = Path(__file__).parent / "reference"


def table(name: str) -> pl.DataFrame:
    return pl.read_csv(FOLDER / name, null_values="NA", schema_overrides={"count": pl.Float64})


SERIES = table("series.csv")
SHAPES = SERIES["shape"].unique(maintain_order=True).to_list()


def months_of(frame: pl.DataFrame) -> object:
    return frame["month"].to_numpy().astype("datetime64[M]")
