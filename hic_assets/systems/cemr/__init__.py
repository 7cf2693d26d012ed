"""CEMR: the record of the community health workers, who register people at home and treat them there.

Contract: ``docs/contracts/cemr.yaml``.
"""

from __future__ import annotations

from hic_assets.extract.rest.api import Bearer, RestApi
from hic_assets.systems.cemr.tables import RESOURCES
from hic_assets.systems.declare import Cadence, System
from hic_assets.systems.rest import rest_feed

CEMR = System(
    name="cemr",
    title="CEMR",
    description="Patients and encounters of community health workers.",
    owners=("team:data-engineering",),
    api=RestApi(Bearer()),
    feeds=tuple(rest_feed("cemr", resource, Cadence.MONTHLY) for resource in RESOURCES),
    # Telephones without a network send what they hold days later.
    monthly_cron="0 5 6 * *",
)
