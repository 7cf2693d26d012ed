"""HMIS Tracker: patient-level programmes of the ministry in one DHIS2 (tracker.moh.gov.rw).

Civil registration (CRVS) is read here but is a system of its own downstream: its staging has its own folder.
To add a programme, add a line to PROGRAMMES; to change its cadence, change the word.
"""

from __future__ import annotations

from hic_assets.systems.declare import Cadence, Programme, System
from hic_assets.systems.dhis2_tracker import dhis2_tracker

NAME = "hmis_tracker"


def _programme(name: str, uid: str, title: str, cadence: Cadence, staging: str = NAME) -> Programme:
    return Programme(name, uid, title, cadence, tables=f"{NAME}_{name}", staging=staging)


PROGRAMMES = (
    _programme("tb", "TbPrgRw0001", "Tuberculosis", Cadence.WEEKLY),
    _programme("maternal_death_audit", "MdaPrgRw001", "Maternal death audit", Cadence.MONTHLY),
    _programme("perinatal_death_audit", "PdaPrgRw001", "Perinatal death audit", Cadence.MONTHLY),
    _programme("child_death_audit", "CdaPrgRw001", "Child death audit", Cadence.MONTHLY),
    _programme("crvs", "CrvPrgRw001", "Civil registration of births and deaths", Cadence.WEEKLY, staging="crvs"),
    _programme("birth_registration", "BrgPrgRw001", "Birth registration at the facility", Cadence.WEEKLY),
)

HMIS_TRACKER = System(
    name=NAME,
    title="HMIS Tracker",
    description="Tuberculosis, death audits, civil registration and birth registration, patient by patient.",
    owners=("team:data-engineering",),
    feeds=dhis2_tracker(NAME, PROGRAMMES),
    programmes=PROGRAMMES,
)
