"""Identity resolution: which records of which systems are about the same person.

Belongs here: the engine, from frames to frames. Does not belong here: Dagster, PostgreSQL, the sandbox, a user's screen. In the order of
work: ``schema`` (the frames), ``names``, ``births``, ``identifiers`` and ``normalise`` (clean columns), ``blocking`` (which pairs),
``comparisons``, ``frequencies``, ``model``, ``training`` (what agreement is worth), ``engine`` and ``scoring`` (Splink), ``verdict`` (link, review,
apart), ``clustering`` (persons, contradictions cut), ``persons`` (keys that stay), ``linking`` (one run); beside them ``evidence`` (for a
reviewer) and ``accuracy`` (where the truth is known).

What a caller needs:

* ``link(new, known, secret=..., run=..., decisions=..., model=..., one_to_one=...) -> Linked``. Keep ``Linked.records``,
  ``assignments`` and ``pairs`` (each one table) and give them back as ``Linked(records, assignments, pairs)`` at the next run.
  ``events`` are to be added to a log, ``review`` replaces the queue.
* ``waterfall(pairs, records, model)``: the evidence of pairs, values whole and masked.
* ``load()`` the model that ships, ``train(records)`` another one, ``Model.save(path)``.

All persons of a run before are as they were unless ``events`` says otherwise. The same records, decisions and model give the same persons
whatever batches they came in, as long as no key outgrew ``blocking.LARGEST`` on the way (``Linked.left_out`` lists those that did).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hic_assets.linkage.evidence import waterfall
    from hic_assets.linkage.linking import Linked, link
    from hic_assets.linkage.model import Model, load
    from hic_assets.linkage.schema import ASSIGNMENTS, DECISIONS, EVENTS, PAIRS, RECORDS
    from hic_assets.linkage.training import train
    from hic_assets.linkage.verdict import Thresholds

_WHERE = {
    "evidence": ("waterfall",),
    "linking": ("Linked", "link"),
    "model": ("Model", "load"),
    "schema": ("ASSIGNMENTS", "DECISIONS", "EVENTS", "PAIRS", "RECORDS"),
    "training": ("train",),
    "verdict": ("Thresholds",),
}

__all__ = [
    "ASSIGNMENTS", "DECISIONS", "EVENTS", "PAIRS", "RECORDS", "Linked", "Model", "Thresholds", "link", "load", "train", "waterfall",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """What is asked for is imported then: Splink and DuckDB take a second, and every process reads the schema."""
    for module, names in _WHERE.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
