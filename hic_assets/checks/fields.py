"""Do staging models have a column for everything a programme's records hold? The question, as an asset check asks it."""

from __future__ import annotations

from collections.abc import Sequence

from hic_assets.checks.questions import SAMPLE, Verdict, partitions_of
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.staging.unknown import unknown_fields
from hic_assets.systems.declare import Programme
from hic_assets.warehouse import Warehouse


def unknown_fields_verdict(warehouse: Warehouse, programme: Programme, kind: Kind, loads: Sequence[int]) -> Verdict:
    """Which fields and stages of the loaded partitions no staging model knows. Their values stay in the JSON beside."""
    partitions = partitions_of(warehouse, loads)
    found = unknown_fields(warehouse, programme, partitions, kind=kind) if partitions else []
    rows = [{"what": f.what, "uid": f.uid, "records": f.records, "partitions": f.partitions} for f in found[:SAMPLE]]
    words = f"{len(found)} fields or stages have no column: 'hic staging' makes them, once the registries are loaded."
    return Verdict(not found, words if found else "Every field has a column.", {"unknown": len(found)}, rows)
