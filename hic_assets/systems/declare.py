"""The words in which a system is declared: its tables, how each is read, how often, and by whom it is owned.

Belongs here: the vocabulary. Does not: any one system, nor how its protocol works (``extract``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hic_assets.landing.table import Table


class Cadence(StrEnum):
    """How a table is cut in time. A partition is when something happened, never when it was pulled."""

    MONTHLY = "monthly"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True)
class Feed:
    """One raw table of a system and where it comes from.

    ``reader``: which reader of the system's protocol yields it, e.g. ``data_values``.
    ``period_types``: DHIS2 period types of the data sets it holds, for tables of reported values.
    ``due_days``: days after a partition's end by which it should have been loaded.
    ``optional``: a server may have no data set of these period types; the table is then empty, and that is no error.
    """

    table: Table
    reader: str
    cadence: Cadence
    period_types: tuple[str, ...] = ()
    due_days: int = 10
    optional: bool = False


@dataclass(frozen=True)
class System:
    """One national health information system.

    ``name`` prefixes its raw tables and environment variables (``HIC_<NAME>_URL`` …).
    ``slice_level``: organisation unit level at which a partition is cut into requests.
    ``monthly_cron`` / ``snapshot_cron`` / ``reconciliation_cron``: when its tables are read, in Africa/Kigali; ``change_minutes``: how often
    the change sensor asks for late and edited data.
    """

    name: str
    title: str
    description: str
    owners: tuple[str, ...]
    feeds: tuple[Feed, ...]
    slice_level: int = 3
    monthly_cron: str = "0 6 6 * *"
    snapshot_cron: str = "0 2 * * *"
    reconciliation_cron: str = "0 1 * * 0"
    change_minutes: int = 60

    def feed(self, table: str) -> Feed:
        """The feed of a table by the table's name."""
        return next(f for f in self.feeds if f.table.name == table)

    def by_cadence(self, cadence: Cadence) -> tuple[Feed, ...]:
        """Feeds of one cadence, in the order declared."""
        return tuple(f for f in self.feeds if f.cadence is cadence)
