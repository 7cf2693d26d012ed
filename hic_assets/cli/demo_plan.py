"""Which jobs bring a country up, in which order and over which partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hic_assets.systems import SYSTEMS, System
from hic_assets.systems.declare import Cadence


@dataclass(frozen=True)
class Span:
    """How many completed months and weeks are loaded."""

    months: int
    weeks: int


def planned_jobs(systems: list[System], span: Span) -> list[tuple[str, str, dict[str, str]]]:
    """(job, words, tags) in order: registries and dimensions, then weeks, then months; of patients' records the latest few."""
    from hic_assets.jobs import MONTHLY, REFERENCE, WEEKLY, groups, has
    from hic_assets.partitions import monthly, range_tags, weekly

    months, weeks = monthly().get_partition_keys()[-span.months :], weekly().get_partition_keys()[-span.weeks :]
    recent = months[-max(1, span.weeks // 4) :]
    whole = len(systems) == len(SYSTEMS)
    together = [(name, of) for name, _, of in groups(systems)]
    in_groups = [system for _, of in together for system in of]
    alone = _each([system for system in systems if system not in in_groups])
    scopes = [*alone, *(together if whole else _each(in_groups))]
    planned = [
        (f"{name}_{REFERENCE}", f"Registries, dimensions, staging views ({name})", dict[str, str]())
        for name, of in ([("all", systems)] if whole else _each(systems))
        if has(of, Cadence.SNAPSHOT)
    ]
    for job, cadence, keys in ((WEEKLY, Cadence.WEEKLY, weeks), (MONTHLY, Cadence.MONTHLY, months)):
        for name, of in scopes:
            if has(of, cadence):
                some = recent if cadence is Cadence.MONTHLY and of[0].programmes else keys
                if of[0].api:
                    # These are asked at the pace their contracts allow, and the demo is to end soon.
                    some = recent[-1:] if cadence is Cadence.MONTHLY else keys[-max(1, len(keys) // 2) :]
                planned.append((f"{name}_{job}", _words_of(name, of, some, cadence), range_tags(some[0], some[-1])))
    return planned


def _words_of(name: str, systems: list[System], keys: Sequence[str], cadence: Cadence) -> str:
    both = ", both pipelines" if systems[0].programmes else ""
    return f"{len(keys)} {'weeks' if cadence is Cadence.WEEKLY else 'months'}{both} ({name})"


def _each(systems: list[System]) -> list[tuple[str, list[System]]]:
    return [(system.name, [system]) for system in systems]
