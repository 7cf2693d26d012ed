"""EBUZIMA: the national maternal health record, from the registration of a pregnancy to six weeks after birth.

Contract: ``docs/contracts/ebuzima.yaml``.
"""

from __future__ import annotations

from hic_assets.extract.rest.api import Basic, RestApi
from hic_assets.systems.declare import Cadence, System
from hic_assets.systems.ebuzima.tables import RESOURCES
from hic_assets.systems.rest import rest_feed

EBUZIMA = System(
    name="ebuzima",
    title="EBUZIMA",
    description="Maternal health: pregnancies, antenatal contacts, deliveries, newborns and postnatal contacts.",
    owners=("team:data-engineering",),
    api=RestApi(Basic()),
    feeds=tuple(rest_feed("ebuzima", resource, Cadence.WEEKLY) for resource in RESOURCES),
    weekly_cron="30 4 * * 1",
)
