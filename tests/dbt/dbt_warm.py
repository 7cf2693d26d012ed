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


def _read() -> Manifest:
    """The project, with what macros read as ``graph``."""
    import dbt.adapters.postgres
    import dbt.cli.main  # noqa: F401

    from hic_assets.dbt_parsed import read

    manifest = read(Path(os.environ[VARIABLE]))
    manifest.build_flat_graph()
    # Forks share its memory as long as nobody counts in it.
    gc.freeze()
    return manifest


_MANIFEST = _read() if VARIABLE in os.environ else None


def project_in(database: str) -> Manifest:
    """The project with its relations in a database. In a fork, whose own it is."""
    from dbt.mp_context import get_mp_context

    from hic_assets.dbt_parsed import move_to

    assert _MANIFEST is not None
    move_to(_MANIFEST, database)
    for kind, nodes in (("nodes", _MANIFEST.nodes), ("sources", _MANIFEST.sources)):
        for name, node in _MANIFEST.flat_graph[kind].items():
            node["database"], node["relation_name"] = database, nodes[name].relation_name
    # Forks would share the lock.
    _MANIFEST._lock = get_mp_context().Lock()
    return _MANIFEST
