"""The runs a system is loaded by: its registries with the dimensions, and its months with the facts.

Two jobs, since a run has one partition axis and registries have none.
"""

from __future__ import annotations

import dagster as dg

from hic_assets.assets.raw import asset_key
from hic_assets.systems.declare import Cadence, System


def _of_cadence(system: System, cadence: Cadence) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(asset_key(system, f) for f in system.by_cadence(cadence)))


def _built_on(raw: dg.AssetSelection, cadence: str) -> dg.AssetSelection:
    """What of a cadence is built on a system's raw tables, and what is built on none at all (seeds, the calendar)."""
    of_cadence = dg.AssetSelection.tag("hic/cadence", cadence)
    of_nobody = of_cadence - dg.AssetSelection.tag("layer", "raw").downstream()
    return (of_cadence & raw.downstream(include_self=False)) | of_nobody


def monthly_job(system: System) -> dg.UnresolvedAssetJobDefinition:
    """Months of a system: raw tables, their checks, and the models computed by month."""
    months = _of_cadence(system, Cadence.MONTHLY)
    return dg.define_asset_job(
        f"{system.name}_monthly",
        selection=months | _built_on(months, "monthly"),
        description=f"Months of {system.title}: raw tables, checks, facts and reports.",
        tags={"system": system.name},
    )


def reference_job(system: System) -> dg.UnresolvedAssetJobDefinition:
    """Registries of a system: raw snapshots, compiled indicators, dimensions."""
    registries = _of_cadence(system, Cadence.SNAPSHOT)
    return dg.define_asset_job(
        f"{system.name}_reference",
        selection=registries | _built_on(registries, "reference"),
        description=f"Registries of {system.title}: snapshots, compiled indicators, dimensions.",
        tags={"system": system.name},
    )
