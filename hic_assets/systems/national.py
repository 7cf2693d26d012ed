"""The systems of the country as people count them, which is not always by the server they are read from.

Civil registration is read from the HMIS Tracker, and disease surveillance from a system of its own and from the HMIS.
Belongs here: which tables speak for which system. Does not: how they are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hic_assets.systems.declare import Feed, System

TITLES = {"crvs": "CRVS: civil registration and vital statistics"}
"""Of systems that have no declaration of their own, since they are read from another's server."""


@dataclass(frozen=True)
class National:
    """One system of the country: its tables, and the declared systems whose servers these are read from."""

    name: str
    title: str
    feeds: tuple[Feed, ...]
    servers: tuple[System, ...]


def speaks_for(feed: Feed) -> str:
    """Name of the system of the country that a table tells of."""
    if feed.speaks_for:
        return feed.speaks_for
    return feed.programme.staging if feed.programme else feed.table.system


def national_systems(systems: Iterable[System]) -> list[National]:
    """Every system of the country, each table in exactly one, in the order of their declarations."""
    declared = {system.name: system for system in systems}
    feeds: dict[str, list[Feed]] = {}
    for system in declared.values():
        for feed in system.feeds:
            feeds.setdefault(speaks_for(feed), []).append(feed)
    return [
        National(
            name,
            declared[name].title if name in declared else TITLES[name],
            tuple(of),
            tuple(dict.fromkeys(declared[feed.table.system] for feed in of)),
        )
        for name, of in feeds.items()
    ]
