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
    """(job, words, tags) in order: registries and dimensions, weeks, months (of records the latest few), then who patients are."""
    from hic_assets.jobs import IDENTITY, MONTHLY, REFERENCE, WEEKLY, has, of_records
    from hic_assets.partitions import monthly, weekly

    months, weeks = monthly().get_partition_keys()[-span.months :], weekly().get_partition_keys()[-span.weeks :]
    recent, records = months[-max(1, span.weeks // 4) :], of_records(systems)
    whole = len(systems) == len(SYSTEMS)
    scopes = [("all", systems)] if whole else _each(systems)
    months_of = [
        *_each([s for s in systems if s not in records]),
        *([("records", records)] if whole else _each(records)),
    ]
    planned = [
        (f"{name}_{REFERENCE}", f"Registries, dimensions, staging views ({name})", dict[str, str]())
        for name, of in scopes
        if has(of, Cadence.SNAPSHOT)
    ]
    for name, of in scopes:
        if has(of, Cadence.WEEKLY):
            planned.append(_of_range(f"{name}_{WEEKLY}", f"{len(weeks)} weeks", name, of, weeks))
    for name, of in months_of:
        if has(of, Cadence.MONTHLY):
            # Records come at the pace their systems allow, and the demo is to end soon.
            some = recent if of_records(of) else months
            planned.append(_of_range(f"{name}_{MONTHLY}", f"{len(some)} months", name, of, some))
    return [*planned, (IDENTITY, "Who patients are", {})] if of_records(systems) else planned


def _of_range(
    job: str, span: str, name: str, systems: list[System], keys: Sequence[str]
) -> tuple[str, str, dict[str, str]]:
    from hic_assets.partitions import range_tags

    both = ", trackers by both pipelines" if any(system.programmes for system in systems) else ""
    return job, f"{span}{both} ({name})", range_tags(keys[0], keys[-1])


def _each(systems: list[System]) -> list[tuple[str, list[System]]]:
    return [(system.name, [system]) for system in systems]
