"""The registries of the trackers, read from the sandbox as from any server, ask for the models that are committed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tracker_forms import registries_of

from hic_assets.extract.auth import BasicAuth
from hic_assets.extract.dhis2 import metadata
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.sandbox import Sandbox, running_sandbox
from hic_assets.staging.files import kept_columns
from hic_assets.staging.form import Registries
from hic_assets.staging.generate import programme_files
from hic_assets.staging.registries import registry_tables
from hic_assets.systems import SYSTEMS, System

TRACKERS = [system for system in SYSTEMS if system.programmes]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.01) as running:
        yield running


def read(sandbox: Sandbox, system: System, folder: Path) -> Registries:
    credentials = BasicAuth(sandbox.username, sandbox.password)
    client = Dhis2Client(sandbox.urls[system.name], credentials, spool_dir=folder, system=system.name)
    return {
        table.name: [row for batch in getattr(metadata, table.name)(client) for row in batch.frame.to_dicts()]
        for table in registry_tables(system)
    }


@pytest.mark.parametrize("system", TRACKERS, ids=lambda system: system.name)
def test_the_models_are_those_of_the_registries_that_are_read(sandbox: Sandbox, system: System, tmp_path: Path) -> None:
    landed, catalogue, kept = read(sandbox, system, tmp_path), registries_of(system.name), kept_columns()
    for programme in system.programmes:
        assert programme_files(system, programme, landed, kept) == programme_files(system, programme, catalogue, kept)
