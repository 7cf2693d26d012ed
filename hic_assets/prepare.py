"""A warehouse made ready: the ledger, what parity, alerts, disruptions and identity keep, and the declared raw tables, empty where nothing was loaded.

Belongs here: what must be there before anything is run or built. Does not: schemas (``warehouse``), dbt's relations.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from hic_assets.alerts.warehouse import create_alerts
from hic_assets.disruption.warehouse import create_disruptions
from hic_assets.identity.ddl import create_identity
from hic_assets.identity.tables import create_identity_tables
from hic_assets.landing.ddl import create_ops, create_raw_tables
from hic_assets.parity.ddl import create_parity
from hic_assets.systems import SYSTEMS


def prepare(connection: Connection[Any]) -> None:
    """Create what is missing. Takes no lock where nothing is, so that a running load is not waited for."""
    create_ops(connection)
    create_raw_tables(connection, (feed.table for system in SYSTEMS for feed in system.feeds))
    create_parity(connection, SYSTEMS)
    create_alerts(connection)
    create_disruptions(connection)
    create_identity(connection)
    create_identity_tables(connection)
