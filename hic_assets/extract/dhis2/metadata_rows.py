"""What a raw table made of metadata is, and the plainest way from an object to its row. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hic_assets.extract.dhis2 import envelopes as e

Row = Mapping[str, str | None]


@dataclass(frozen=True)
class MetadataTable:
    """One raw table.

    `resource`: path under /api and key of the list. `fields`: no more than the columns need. `rows`: the rows of one object. `key`: the member that identifies it in the list.
    """

    name: str
    resource: str
    fields: str
    columns: tuple[str, ...]
    model: type[e.Envelope]
    rows: Callable[[Any], Iterable[Row]]
    key: str = "id"


def plain(columns: tuple[str, ...]) -> Callable[[Any], Iterable[Row]]:
    """One row an object: attributes by column name, references by their id."""

    def rows(item: Any) -> Iterable[Row]:
        values = {column: getattr(item, column) for column in columns}
        yield {column: value.id if isinstance(value, e.Ref) else value for column, value in values.items()}

    return rows


def id_of(ref: e.Ref | None) -> str | None:
    """The id of a reference that may be absent."""
    return None if ref is None else ref.id


def name_of(ref: e.Ref | None) -> str | None:
    """The name of a reference that may be absent."""
    return None if ref is None else ref.name
