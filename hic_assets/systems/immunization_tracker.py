"""Immunization tracker: Routine immunization: children, and their doses as events."""

from __future__ import annotations

from hic_assets.systems.declare import Cadence, Programme, System
from hic_assets.systems.dhis2_tracker import dhis2_tracker

NAME = "immunization_tracker"
PROGRAMMES = (
    Programme("immunization", "ImmPrgRw001", "Routine immunization", Cadence.WEEKLY, tables=NAME, staging=NAME),
)

IMMUNIZATION_TRACKER = System(
    name=NAME,
    title="Immunization tracker",
    description="Routine immunization: children, and their doses as events.",
    owners=("team:data-engineering",),
    feeds=dhis2_tracker(NAME, PROGRAMMES),
    programmes=PROGRAMMES,
)
