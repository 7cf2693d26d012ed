"""Which jobs bring a country up, in which order and over which partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hic_assets.systems import SYSTEMS, System
from hic_assets.systems.declare import Cadence


@dataclass(frozen=True)
class Span:
    """How many completed months and weeks are loaded."""

    months: int
    weeks: int


@dataclass(frozen=True)
class Planned:
    """A run: its job, what it loads in words, the tags that name its partitions, and what a run before it has just made."""

    job: str
    words: str
    tags: dict[str, str] = field(default_factory=dict)
    made: tuple[str, ...] = ()


def planned_stages(systems: list[System], span: Span) -> list[list[Planned]]:
    """What is loaded one after another, and in each the runs that may go side by side.

    Registries and dimensions first, on which all else stands; then weeks and months; then what is judged over all of them.
    """
    stages = [*([run] for run in _references(systems)), [*_weeks(systems, span), *_months(systems, span)]]
    return [stage for stage in (*stages, [*_persons(systems), *_disruptions(systems)]) if stage]


def _references(systems: list[System]) -> list[Planned]:
    from hic_assets.jobs import REFERENCE

    return [
        Planned(f"{name}_{REFERENCE}", f"Registries, dimensions, staging views ({name})")
        for name, _ in _scopes(systems)
    ]


def _weeks(systems: list[System], span: Span) -> list[Planned]:
    from hic_assets.jobs import WEEKLY, has
    from hic_assets.partitions import weekly

    keys = weekly().get_partition_keys()[-span.weeks :]
    return [
        _of_range(f"{name}_{WEEKLY}", f"{len(keys)} weeks", name, of, keys)
        for name, of in _scopes(systems)
        if has(of, Cadence.WEEKLY)
    ]


def _months(systems: list[System], span: Span) -> list[Planned]:
    """Records come at the pace their systems allow, and the demo is to end soon: of them the latest months alone."""
    from hic_assets.jobs import MONTHLY, has, of_records
    from hic_assets.partitions import monthly

    keys, records = monthly().get_partition_keys()[-span.months :], of_records(systems)
    together = [("records", records)] if _is_whole(systems) else _each(records)
    return [
        _of_range(f"{name}_{MONTHLY}", f"{len(some)} months", name, of, some)
        for scopes, some in (
            (_each([s for s in systems if s not in records]), keys),
            (together, keys[-max(1, span.weeks // 4) :]),
        )
        for name, of in scopes
        if has(of, Cadence.MONTHLY)
    ]


def _persons(systems: list[System]) -> list[Planned]:
    """In the whole country alone: they are looked for in the records of every system."""
    from hic_assets.assets.identity import RECORDS
    from hic_assets.jobs import IDENTITY

    return [Planned(IDENTITY, "Who patients are", made=(RECORDS.to_user_string(),))] if _is_whole(systems) else []


def _disruptions(systems: list[System]) -> list[Planned]:
    """Of the HMIS's months."""
    from hic_assets.jobs import DISRUPTION

    return [Planned(DISRUPTION, "Which services were disrupted")] if any(s.name == "hmis" for s in systems) else []


def _of_range(job: str, span: str, name: str, systems: list[System], keys: Sequence[str]) -> Planned:
    from hic_assets.partitions import range_tags

    both = ", trackers by both pipelines" if any(system.programmes for system in systems) else ""
    return Planned(job, f"{span}{both} ({name})", range_tags(keys[0], keys[-1]))


def _is_whole(systems: list[System]) -> bool:
    return len(systems) == len(SYSTEMS)


def _scopes(systems: list[System]) -> list[tuple[str, list[System]]]:
    """The whole country in one run, or each system in its own where only some can be reached."""
    return [("all", systems)] if _is_whole(systems) else _each(systems)


def _each(systems: list[System]) -> list[tuple[str, list[System]]]:
    return [(system.name, [system]) for system in systems]
