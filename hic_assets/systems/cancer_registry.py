"""Cancer registry: Tumours, sources of information, follow-up and deaths (his.moh.gov.rw/oncology)."""

from __future__ import annotations

from hic_assets.systems.declare import Cadence, Programme, System
from hic_assets.systems.dhis2_tracker import dhis2_tracker

NAME = "cancer_registry"
PROGRAMMES = (Programme("cancer", "rx6V962E4XM", "Cancer registry", Cadence.MONTHLY, tables=NAME, staging=NAME),)

CANCER_REGISTRY = System(
    name=NAME,
    title="Cancer registry",
    description="Tumours, sources of information, follow-up and deaths (his.moh.gov.rw/oncology).",
    owners=("team:data-engineering",),
    feeds=dhis2_tracker(NAME, PROGRAMMES),
    programmes=PROGRAMMES,
)
