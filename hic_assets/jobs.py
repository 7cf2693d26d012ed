"""The runs a system is loaded by: its registries with the dimensions, its months with the facts, its weeks; and who patients are.

A job a cadence, since a run has one partition axis and registries have none. Three exist for several systems together
(``all_reference``, ``all_weekly``, ``records_monthly``): a country is brought up in four runs, with one more for the months of
the HMIS, of which one wants many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import dagster as dg

from hic_assets.assets.identity import RECORDS
from hic_assets.assets.raw import asset_key
from hic_assets.systems.declare import Cadence, System

_MODELS = "hic/cadence"
REFERENCE, WEEKLY, MONTHLY, IDENTITY, DISRUPTION = "reference", "weekly", "monthly", "identity", "disruption"
EVERY = "all"


def _raw(systems: Iterable[System], *cadences: Cadence) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(asset_key(s, f) for s in systems for c in cadences for f in s.by_cadence(c)))


def _built_on(raw: dg.AssetSelection, cadence: str) -> dg.AssetSelection:
    """What of a cadence is built on raw tables, and what is built on none at all (seeds, the calendar)."""
    of_cadence = dg.AssetSelection.tag(_MODELS, cadence)
    of_nobody = of_cadence - dg.AssetSelection.tag("layer", "raw").downstream()
    return (of_cadence & raw.downstream(include_self=False)) | of_nobody


def _read_by_what_is_built_on(raw: dg.AssetSelection) -> dg.AssetSelection:
    """What of no window is read by models built on raw tables, be it of other systems: their views are empty, not missing."""
    models = dg.AssetSelection.tag(_MODELS, REFERENCE)
    return (raw.downstream(include_self=False) - dg.AssetSelection.tag("layer", "raw")).upstream() & models


def has(systems: Sequence[System], cadence: Cadence) -> bool:
    """Whether any table of the systems is of a cadence."""
    return any(system.by_cadence(cadence) for system in systems)


def reference_job(name: str, title: str, systems: Sequence[System]) -> dg.UnresolvedAssetJobDefinition:
    """Registries: raw snapshots if there are any, compiled indicators, dimensions, and the views that records are staged in."""
    every = _raw(systems, *Cadence)
    models = _built_on(every, REFERENCE) | _read_by_what_is_built_on(every)
    # It reads the staging views of every system, which a run of one system's registries need not have made.
    persons = dg.AssetSelection.assets(RECORDS)
    return dg.define_asset_job(
        f"{name}_{REFERENCE}",
        selection=_raw(systems, Cadence.SNAPSHOT) | (models | persons if name == EVERY else models - persons),
        description=f"Registries of {title}: snapshots, compiled indicators, dimensions, staging views.",
        tags={"system": name},
    )


def monthly_job(name: str, title: str, systems: Sequence[System]) -> dg.UnresolvedAssetJobDefinition:
    """Months: raw tables, their checks, and the models computed by month."""
    raw = _raw(systems, Cadence.MONTHLY)
    return dg.define_asset_job(
        f"{name}_{MONTHLY}",
        selection=raw | _built_on(raw, MONTHLY),
        description=f"Months of {title}: raw tables, checks, facts and reports.",
        tags={"system": name},
    )


def weekly_job(name: str, title: str, systems: Sequence[System]) -> dg.UnresolvedAssetJobDefinition:
    """Weeks: raw tables, their checks, and the models computed by week.

    The months that trackers' weeks feed are built by ``programme_months``.
    """
    raw = _raw(systems, Cadence.WEEKLY)
    return dg.define_asset_job(
        f"{name}_{WEEKLY}",
        selection=raw | _built_on(raw, WEEKLY),
        description=f"Weeks of {title}: raw tables{_pipelines(systems)}, their checks, and what is built of them.",
        tags={"system": name},
    )


def _pipelines(systems: Sequence[System]) -> str:
    return ", both pipelines," if any(system.programmes for system in systems) else ""


def programme_months_job(systems: Sequence[System]) -> dg.UnresolvedAssetJobDefinition:
    """Months computed from what the tracker programmes' weeks and months hold, whichever way these were loaded."""
    trackers = [system for system in systems if system.programmes]
    of_weeks = _built_on(_raw(trackers, Cadence.WEEKLY), MONTHLY)
    return dg.define_asset_job(
        "programme_months",
        selection=of_weeks,
        description="Months of the tracker programmes, from weeks: each day counts in its own month.",
    )


def identity_job() -> dg.UnresolvedAssetJobDefinition:
    """Identity resolution over all that is loaded, and the dimensions of patients."""
    return dg.define_asset_job(
        IDENTITY,
        selection=dg.AssetSelection.tag(_MODELS, IDENTITY) | dg.AssetSelection.assets(RECORDS),
        description="Who patients are: records of all systems put together, then the dimensions of patients.",
    )


def disruption_job() -> dg.UnresolvedAssetJobDefinition:
    """Which services were disrupted, over all months that are loaded."""
    return dg.define_asset_job(
        DISRUPTION,
        selection=dg.AssetSelection.tag(_MODELS, DISRUPTION),
        description="Which services were used otherwise than usual: every series of the HMIS judged anew.",
    )


def jobs_of(systems: Sequence[System]) -> list[dg.UnresolvedAssetJobDefinition]:
    """Every job there is: a system's own, and those of several together."""
    made = []
    for scope in [(s.name, s.title, [s]) for s in systems]:
        made.append(reference_job(*scope))
        made += [weekly_job(*scope)] if has(scope[2], Cadence.WEEKLY) else []
        made += [monthly_job(*scope)] if has(scope[2], Cadence.MONTHLY) else []
    every = (EVERY, "every system", systems)
    records = ("records", "the trackers and the clinical systems", of_records(systems))
    return [
        *made,
        reference_job(*every),
        weekly_job(*every),
        monthly_job(*records),
        programme_months_job(systems),
        identity_job(),
        disruption_job(),
    ]


def of_records(systems: Sequence[System]) -> list[System]:
    """Those that hold records of persons, stocks and cases: all but the aggregate ones."""
    return [system for system in systems if system.programmes or system.api]
