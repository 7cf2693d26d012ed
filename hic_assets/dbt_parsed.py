"""The parsed dbt project, made good for another server than it was parsed for.

dbt keeps what it parsed with a hash of the connection, and parses all anew for another, which takes as long as building some
hundred models. But only names of relations depend on the connection, by their database. Belongs here: rewriting these. Does not:
parsing (``hic manifest``), running dbt. Run as a program of its own (``python -m hic_assets.dbt_parsed``), since dbt keeps its
flags and the profile in the process.
"""

from __future__ import annotations

import os
import pprint
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


def read(parsed: Path) -> Manifest:
    """The parsed project (``partial_parse.msgpack``)."""
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    return Manifest.from_msgpack(parsed.read_bytes(), decoder=extended_mashumuro_decoder)


def move_to(manifest: Manifest, database: str) -> None:
    """Have the project's relations in a database."""
    for node in [*manifest.nodes.values(), *manifest.sources.values()]:
        if node.relation_name:
            node.relation_name = node.relation_name.replace(f'"{node.database}".', f'"{database}".', 1)
        node.database = database


def move(parsed: Path, destination: Path, project: Path) -> None:
    """Write the parsed project as dbt would have parsed it for the connection that ``project``'s profile has here."""
    from dbt.artifacts.resources import FileHash
    from dbt.config.runtime import load_profile
    from dbt.flags import set_from_args
    from dbt.parser.manifest import extended_mashumaro_encoder
    from dbt_common.context import set_invocation_context

    set_invocation_context(os.environ)
    set_from_args(Namespace(PROFILES_DIR=str(project)), None)
    credentials = load_profile(str(project), {}).credentials
    manifest = read(parsed)
    move_to(manifest, credentials.database)
    # As dbt.parser.manifest.ManifestLoader.build_manifest_state_check does; where dbt no longer agrees, it parses.
    connection = pprint.pformat(sorted(credentials.connection_info()))
    manifest.state_check.profile_hash = FileHash.from_contents(connection)
    destination.write_bytes(manifest.to_msgpack(extended_mashumaro_encoder))


if __name__ == "__main__":
    move(*(Path(argument) for argument in sys.argv[1:]))
