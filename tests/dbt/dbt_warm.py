"""What dbt's fork server does before its first fork, so that no call pays for it: imports, and reading the parsed project."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

VARIABLE = "HIC_TEST_DBT_PARSED"
"""Where the fork server finds the parsed project; nobody else has it."""


def _read(parsed: Path) -> Manifest:
    """The project, with what macros read as ``graph``."""
    import dbt.adapters.postgres
    import dbt.cli.main  # noqa: F401

    from hic_assets.dbt_parsed import read

    manifest = read(parsed)
    manifest.build_flat_graph()
    # Forks share its memory as long as nobody counts in it.
    gc.freeze()
    return manifest


_MANIFEST = _read(Path(os.environ[VARIABLE])) if VARIABLE in os.environ else None


def project_in(database: str, parsed: Path) -> Manifest:
    """The project with its relations in a database, in a fork; read there if the fork server was started for something else."""
    from dbt.mp_context import get_mp_context

    from hic_assets.dbt_parsed import move_to

    manifest = _MANIFEST or _read(parsed)
    move_to(manifest, database)
    for kind, nodes in (("nodes", manifest.nodes), ("sources", manifest.sources)):
        for name, node in manifest.flat_graph[kind].items():
            node["database"], node["relation_name"] = database, nodes[name].relation_name
    # Forks would share the lock.
    manifest._lock = get_mp_context().Lock()
    return manifest
