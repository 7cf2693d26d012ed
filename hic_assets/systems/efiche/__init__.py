"""eFICHE: the electronic file of outpatients of health centres and hospitals, with their laboratories and stores.

Contract: ``docs/contracts/efiche.yaml``. What its codes (diagnoses, tests, products) stand for is said by
crosswalk seeds of dbt.
"""

from __future__ import annotations

from hic_assets.extract.rest.api import ApiKeyHeader, RestApi
from hic_assets.systems.declare import Cadence, System
from hic_assets.systems.efiche.tables import RESOURCES
from hic_assets.systems.rest import rest_feed

EFICHE = System(
    name="efiche",
    title="eFICHE",
    description="Outpatient visits with diagnoses and insurance, laboratory orders and results, stock of medicines.",
    owners=("team:data-engineering",),
    # A page holds 200 records at most, so that the usual limit would end at a million visits a month.
    api=RestApi(ApiKeyHeader("X-Api-Key"), requests_per_second=10, page_limit=20_000),
    feeds=tuple(rest_feed("efiche", resource, Cadence.MONTHLY) for resource in RESOURCES),
    # Stock cards are counted on the last day and typed in during the days after.
    monthly_cron="0 3 6 * *",
)
