"""The trained model: what each level of agreement is worth, and how common names are.

Belongs here: reading and writing it. Does not belong here: how it was learned (``training``), or used (``scoring``).
``model.json`` beside this file is the model that ships; ``python -m hic_assets.bench.linkage_model`` makes it again.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl

from hic_assets.linkage.frequencies import Frequencies

POPULATION = 14_000_000
"""Persons whom a record may be about: the country. Two records at random are one person once in so many."""


@dataclass(frozen=True)
class Model:
    """Splink's settings with everything learned, the frequencies that go with them (without any, Splink counts those of the
    run), and the population.
    """

    settings: dict[str, Any]
    frequencies: Frequencies | None
    population: int = POPULATION
    trained_on: str = ""

    def of_population(self, persons: int) -> Model:
        """The same model in a country of so many persons."""
        return replace(self, population=persons)

    @property
    def prior(self) -> float:
        """The weight of two records before anything is compared."""
        return -math.log2(self.population - 1)

    def splink(self) -> dict[str, Any]:
        """Splink's settings for this population."""
        return {**self.settings, "probability_two_random_records_match": 1 / self.population}

    def lookups(self, frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """The frequencies of the values of a frame, by column: see ``Frequencies.lookups``."""
        return self.frequencies.lookups(frame) if self.frequencies else {}

    def save(self, path: Path) -> None:
        """Write it as JSON, the same text for the same model."""
        held = {
            "trained_on": self.trained_on,
            "population": self.population,
            "settings": self.settings,
            "frequencies": self.frequencies.as_dict() if self.frequencies else None,
        }
        path.write_text(json.dumps(held, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def load(path: Path | None = None) -> Model:
    """The model in a file that ``Model.save`` wrote; the one that ships when none is given."""
    text = path.read_text("utf-8") if path else files("hic_assets.linkage").joinpath("model.json").read_text("utf-8")
    held = json.loads(text)
    found = held["frequencies"]
    return Model(held["settings"], Frequencies(**found) if found else None, held["population"], held["trained_on"])
