"""The words in which a system is declared: its tables, how each is read, how often, and by whom it is owned.

Belongs here: the vocabulary. Does not: any one system, nor how its protocol works (``extract``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.rest.api import RestApi
from hic_assets.extract.rest.resource import Resource
from hic_assets.landing.table import Table


class Cadence(StrEnum):
    """How a table is cut in time. A partition is when something happened, never when it was pulled."""

    MONTHLY = "monthly"
    WEEKLY = "weekly"
    """ISO weeks, Monday to Sunday."""
    SNAPSHOT = "snapshot"


DUE_DAYS = {Cadence.WEEKLY: 3, Cadence.MONTHLY: 10, Cadence.SNAPSHOT: 2}
"""Days after a partition's end by which patients' records of it should have been loaded; of snapshots, how old they may be."""


class Pipeline(StrEnum):
    """Which of the two ways a tracker programme's table is filled by."""

    LEGACY = "legacy"
    UNIFIED = "unified"


@dataclass(frozen=True)
class Trust:
    """When the unified tables of a programme may replace the legacy ones.

    ``tolerance``: share of a partition's rows that may differ while it still counts as clean.
    ``clean_partitions``: how many of the latest partitions in a row must be clean, in all three tables.
    """

    tolerance: float = 0.0
    clean_partitions: int = 8


@dataclass(frozen=True)
class Programme:
    """One DHIS2 tracker programme.

    ``name``: as people and commands call it, unique over all systems; also the prefix of its staging models' names.
    ``uid``: of the DHIS2 program. ``tables``: prefix of its raw tables (``raw.<tables>_events``, ``raw.u_<tables>_events``).
    ``staging``: folder of its staging models. ``legacy``: whether the pipeline on the old endpoints still exists; to
    delete it, write False and run ``hic staging``.
    """

    name: str
    uid: str
    title: str
    cadence: Cadence
    tables: str
    staging: str
    legacy: bool = True
    trust: Trust = Trust()


@dataclass(frozen=True)
class Feed:
    """One raw table of a system and where it comes from.

    ``reader``: which reader of the system's protocol yields it, e.g. ``data_values``.
    ``period_types``: DHIS2 period types of the data sets it holds, for tables of reported values.
    ``due_days``: days after a partition's end by which it should have been loaded.
    ``optional``: a server may have no data set of these period types; the table is then empty, and that is no error.
    ``programme``, ``kind``, ``pipeline``: of a tracker table, whose records of which kind it holds and how they are read.
    ``resource``: of a table read from a REST API, the list it holds.
    ``speaks_for``: name of the system of the country that the table tells of, where that is not the one it is read from.
    """

    table: Table
    reader: str
    cadence: Cadence
    period_types: tuple[str, ...] = ()
    due_days: int = 10
    optional: bool = False
    programme: Programme | None = None
    kind: Kind | None = None
    pipeline: Pipeline | None = None
    resource: Resource | None = None
    speaks_for: str | None = None


@dataclass(frozen=True)
class System:
    """One national health information system.

    ``name`` prefixes its raw tables and environment variables (``HIC_<NAME>_URL`` …).
    ``slice_level``: organisation unit level at which a partition is cut into requests.
    ``programmes``: of a tracker, in the order declared.
    ``api``: of a system that is no DHIS2, how its REST API is spoken to.
    ``weekly_cron`` / ``monthly_cron`` / ``snapshot_cron`` / ``reconciliation_cron``: when its tables are read, in Africa/Kigali; ``change_minutes``: how often
    the change sensor asks for late and edited data.
    """

    name: str
    title: str
    description: str
    owners: tuple[str, ...]
    feeds: tuple[Feed, ...]
    programmes: tuple[Programme, ...] = ()
    api: RestApi | None = None
    slice_level: int = 3
    weekly_cron: str = "0 4 * * 1"
    monthly_cron: str = "0 6 6 * *"
    snapshot_cron: str = "0 2 * * *"
    reconciliation_cron: str = "0 1 * * 0"
    change_minutes: int = 60

    def feed(self, table: str) -> Feed:
        """The feed of a table by the table's name."""
        return next(f for f in self.feeds if f.table.name == table)

    def programme_feed(self, programme: Programme, kind: Kind, pipeline: Pipeline) -> Feed:
        """The feed of one table of a programme."""
        wanted = (programme, kind, pipeline)
        return next(f for f in self.feeds if (f.programme, f.kind, f.pipeline) == wanted)

    def by_cadence(self, cadence: Cadence) -> tuple[Feed, ...]:
        """Feeds of one cadence, in the order declared."""
        return tuple(f for f in self.feeds if f.cadence is cadence)
