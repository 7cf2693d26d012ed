"""What a command runs in: the opened warehouse, and the environment its child processes inherit.

Belongs here: opening, exporting. Does not: anything a single command does.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hic_assets.cli.errors import NOT_RUNNING, CommandError
from hic_assets.prepare import prepare
from hic_assets.settings import Settings
from hic_assets.warehouse import Warehouse, existing_warehouse, open_warehouse

ROOT = Path(__file__).resolve().parents[2]
"""The checkout: dagster.yaml, workspace.yaml and dbt_project/ are found here."""


@dataclass(frozen=True)
class Environment:
    """An opened warehouse and the folder for state."""

    settings: Settings
    warehouse: Warehouse

    @property
    def home(self) -> Path:
        """Folder for state (``HIC_HOME``)."""
        return self.settings.home


def running_warehouse() -> Warehouse:
    """The warehouse, for commands that look and start nothing.

    Raises:
        CommandError: it is the embedded one, which is not running.
    """
    warehouse = existing_warehouse(Settings())
    if warehouse is None:
        raise CommandError(NOT_RUNNING)
    return warehouse


def open_environment() -> Environment:
    """Open the warehouse, create what is missing, and export what Dagster, dbt and psql read."""
    settings = Settings()
    warehouse = open_warehouse(settings)
    with warehouse.connect(autocommit=True) as connection:
        prepare(connection)
    artifacts = settings.home / "dagster"
    artifacts.mkdir(parents=True, exist_ok=True)
    os.environ.update(warehouse.env())
    os.environ["HIC_HOME"] = str(settings.home)
    os.environ["HIC_DAGSTER_ARTIFACTS"] = str(artifacts)
    os.environ.setdefault("DAGSTER_HOME", str(ROOT))
    # A national server may take minutes to say what it changed; Dagster would give the sensor one.
    os.environ.setdefault("DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS", "900")
    # What a run announces, and a table's partitions, are written together (event_storage.py).
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "500")
    return Environment(settings, warehouse)
