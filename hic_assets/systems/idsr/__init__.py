"""IDSR: disease surveillance, the direct path. The other path is weekly data sets of the HMIS.

Contract: ``docs/contracts/idsr.yaml``. What is declared of its diseases is a seed of dbt.
"""

from __future__ import annotations

from hic_assets.extract.rest.api import ApiKeyHeader, RestApi
from hic_assets.systems.declare import Cadence, System
from hic_assets.systems.idsr.tables import RESOURCES
from hic_assets.systems.rest import rest_feed

IDSR = System(
    name="idsr",
    title="IDSR",
    description="Disease surveillance, the direct path: weekly notifications with zero reports, and immediate cases.",
    owners=("team:data-engineering",),
    api=RestApi(ApiKeyHeader("Authorization", scheme="ApiKey")),
    feeds=tuple(rest_feed("idsr", resource, Cadence.WEEKLY) for resource in RESOURCES),
    # On Monday for the cases, and on Thursday, when every report is due.
    weekly_cron="0 5 * * 1,4",
    change_minutes=30,
)
