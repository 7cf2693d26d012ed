"""JSON bodies of rows (dataValueSets, completeDataSetRegistrations) into batches (contract 1.3, 1.4)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from hic_assets.extract.batches import Batch, frame_of, rejects_of
from hic_assets.extract.dhis2.envelopes import as_text
from hic_assets.extract.errors import UnexpectedContent
from hic_assets.extract.json_stream import Member, members
from hic_assets.extract.spool import Spooled

ROWS_PER_BATCH = 50_000


@dataclass(frozen=True)
class JsonLayout:
    """`array`: the member that holds the rows. `columns`: a row's key to the raw column, in the raw order.

    `hoisted`: keys that rows may leave out because the root says them once for all (2.43).
    """

    array: str
    columns: Mapping[str, str]
    hoisted: frozenset[str] = frozenset()


def json_batches(
    body: Spooled, layout: JsonLayout, system: str, label: str, rows_per_batch: int = ROWS_PER_BATCH
) -> Iterator[Batch]:
    """Batches of a complete body. `{}` and an empty file hold no rows.

    Raises UnexpectedContent for an object without the array (an error report under status 200, say).
    """
    if not body.bytes:
        return
    root = _root(body, layout, system)
    rows = (m.value for m in members(body.path) if m.in_array and m.key == layout.array)
    inherited = {layout.columns[key]: as_text(root[key]) for key in layout.hoisted & root.keys()}
    while some := list(islice(rows, rows_per_batch)):
        good = [_row(row, layout, inherited) for row in some if isinstance(row, dict)]
        bad = [
            (json.dumps(row, ensure_ascii=False), "not_an_object", "a row must be a JSON object")
            for row in some
            if not isinstance(row, dict)
        ]
        yield Batch(frame_of(good, list(layout.columns.values())), label, rejects_of(bad))


def unknown_keys(body: Spooled, layout: JsonLayout, ignored: frozenset[str]) -> list[str]:
    """Keys of the first row that are neither read nor known to be of no use."""
    if not body.bytes:
        return []
    first = next((m.value for m in members(body.path) if m.in_array and m.key == layout.array), None)
    known = layout.columns.keys() | ignored
    return [key for key in first if key not in known] if isinstance(first, dict) else []


def _row(row: Mapping[str, Any], layout: JsonLayout, inherited: Mapping[str, str | None]) -> dict[str, str | None]:
    """The row's own values, else those of the root; empty text is NULL as in CSV."""
    values = {column: as_text(row.get(key)) or None for key, column in layout.columns.items()}
    for column, value in inherited.items():
        if values[column] is None:
            values[column] = value
    return values


def _root(body: Spooled, layout: JsonLayout, system: str) -> dict[str, Any]:
    """The root's own values (which may stand after the rows); proves that the array is there."""
    seen: dict[str, Member] = {}
    for member in members(body.path):
        seen[member.key] = member
    if seen and layout.array not in seen:
        what = f"the reply has no {layout.array}; it has {', '.join(seen)}"
        raise UnexpectedContent(system, body.url, what)
    return {key: member.value for key, member in seen.items() if not member.in_array}
