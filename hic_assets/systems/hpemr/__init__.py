"""HPEMR: the electronic medical record of health posts.

Contract: ``docs/contracts/hpemr.yaml``. What its codes of diagnoses and products stand for is
said by crosswalk seeds of dbt; its list of posts tells FOSA codes.
"""

from __future__ import annotations

from hic_assets.extract.rest.api import ClientCredentials, RestApi
from hic_assets.systems.declare import Cadence, System
from hic_assets.systems.hpemr.tables import RESOURCES
from hic_assets.systems.rest import rest_feed

HPEMR = System(
    name="hpemr",
    title="HPEMR",
    description="Encounters of health posts with diagnoses and treatments, and referrals.",
    owners=("team:data-engineering",),
    api=RestApi(ClientCredentials("oauth/token", scope="hpemr.read"), requests_per_second=5),
    feeds=tuple(rest_feed("hpemr", resource, Cadence.MONTHLY) for resource in RESOURCES),
    # Posts work without a network for days: what they did arrives with the next synchronisation.
    monthly_cron="0 4 6 * *",
)
