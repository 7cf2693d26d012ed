"""HMIS aggregate: the national DHIS2 that every facility reports to each month, and the facility registry it holds.

The primary source of facility-level indicators (monthly), one of the two paths of disease surveillance (weekly), and the
source of organisation units, data elements, data sets and indicator definitions, which other systems refer to.
"""

from __future__ import annotations

from hic_assets.systems.declare import System
from hic_assets.systems.dhis2_aggregate import dhis2_aggregate

HMIS = System(
    name="hmis",
    title="HMIS aggregate",
    description="Routine monthly reports of every health facility, all programmes, and weekly disease surveillance "
    "(national DHIS2).",
    owners=("team:data-engineering",),
    feeds=dhis2_aggregate("hmis"),
    # Weekly surveillance reports are due on the Wednesday after the week (timelyDays 3).
    weekly_cron="0 4 * * 4",
)
