"""Learning what agreement is worth, from records of which nobody said who is who.

Belongs here: u from random pairs, m by expectation maximisation (Splink). Does not belong here: which levels there are.
The same records and seed give the same model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from splink import Linker

from hic_assets.linkage.comparisons import PERSONS, Level, settings
from hic_assets.linkage.engine import linker
from hic_assets.linkage.frequencies import Frequencies, count
from hic_assets.linkage.model import POPULATION, Model
from hic_assets.linkage.normalise import normalise

SESSIONS = (
    "l.nid13 = r.nid13",
    "l.upi = r.upi",
    "l.birth_day = r.birth_day and l.sector = r.sector and l.sex = r.sex",
    "l.birth_day = r.birth_day and l.phone = r.phone",
    "l.name_key = r.name_key and l.mother_key = r.mother_key",
)
"""Pairs that each round learns from: what they agree on is learned in another round; of the rounds Splink takes the median."""
PAIRS = 3_000_000
RAREST = 5e-4
"""Records of one person that differ in any way there is, at least: what was never seen is rare and not impossible."""
SEED = 1


def train(records: pl.DataFrame, trained_on: str = "", population: int = POPULATION, pairs: int = PAIRS) -> Model:
    """A model learned from records (``RECORDS``); some ten thousand at least, of all systems.

    ``trained_on`` says what they were; ``pairs`` is how many each round learns from.
    """
    frame = normalise(records).with_row_index("id")
    found = count(frame)
    return Model(learn(frame, PERSONS, SESSIONS, found, pairs), found, population, trained_on)


def learn(
    frame: pl.DataFrame,
    comparisons: dict[str, list[Level]],
    sessions: Sequence[str],
    found: Frequencies | None = None,
    pairs: int = PAIRS,
) -> dict[str, Any]:
    """Splink's settings with m and u learned. ``frame`` has ``id`` and the columns that the comparisons name."""
    # In the order of the ids, since the sample depends on it.
    lookups = found.lookups(frame) if found else {}
    # From a high share of matches the expectation never comes down to the pairs that are none: begin with the country's.
    untrained = {**settings(comparisons), "probability_two_random_records_match": 1 / POPULATION}
    with linker(frame.sort("id"), untrained, lookups) as made:
        made.training.estimate_u_using_random_sampling(max_pairs=pairs, seed=SEED, min_count_per_level=None)
        for rule in sessions:
            made.training.estimate_parameters_using_expectation_maximisation(
                rule, estimate_without_term_frequencies=True, max_pairs=pairs, record_sample_proportion=1.0
            )
        return _settled(made)


def _settled(made: Linker) -> dict[str, Any]:
    """The settings without what differs from run to run; what matches never showed is as rare as ``RAREST``."""
    learned: dict[str, Any] = made.misc.save_model_to_json()
    learned.pop("linker_uid", None)
    learned.pop("probability_two_random_records_match", None)
    for comparison in learned["comparisons"]:
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level"):
                m, u = level.get("m_probability"), level.get("u_probability")
                level["m_probability"] = _digits(m if isinstance(m, float) and m > RAREST else RAREST)
                level["u_probability"] = _digits(u if isinstance(u, float) else 1 / PAIRS)
    return learned


def _digits(value: float) -> float:
    """Six digits: what is beyond depends on the order in which threads add."""
    return float(f"{value:.6g}")
