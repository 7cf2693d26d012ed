"""HIV Tracker: HIV care and treatment, patient by patient."""

from __future__ import annotations

from hic_assets.systems.declare import Cadence, Programme, System
from hic_assets.systems.dhis2_tracker import dhis2_tracker

NAME = "hiv_tracker"
PROGRAMMES = (Programme("hiv", "HivPrgRw001", "HIV care and treatment", Cadence.WEEKLY, tables=NAME, staging=NAME),)

HIV_TRACKER = System(
    name=NAME,
    title="HIV Tracker",
    description="HIV care and treatment, patient by patient.",
    owners=("team:data-engineering",),
    feeds=dhis2_tracker(NAME, PROGRAMMES),
    programmes=PROGRAMMES,
)
