"""Metadata snapshots: full lists of organisation units, data elements, data sets... (contract 1.2).

Nothing tells of a deleted object, so every read is of the whole list. It is asked for in one reply without
paging, which is one consistent state; where the server cannot serve that, in pages ordered by id.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from typing import Any

from pydantic import ValidationError

from hic_assets.extract.batches import Batch, BatchStream, SliceStats, frame_of, rejects_of
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.envelopes import Pager, Place
from hic_assets.extract.dhis2.metadata_tables import (
    ORGANISATION_UNITS,
    TABLES,
    MetadataTable,
    Row,
    point_of,
)
from hic_assets.extract.errors import SourceError, TransientSourceError, UnexpectedContent
from hic_assets.extract.http import JSON, asks_too_much
from hic_assets.extract.json_stream import members
from hic_assets.extract.spool import Spooled

log = logging.getLogger(__name__)

ROWS_PER_BATCH = 50_000
Reject = tuple[str, str, str]
PAGE_SIZE = 500
_PLACES = replace(ORGANISATION_UNITS, name="organisation unit places", fields="id,geometry", model=Place)


def metadata(client: Dhis2Client, table: str) -> BatchStream:
    """The whole of one metadata table, by its raw name without system ("data_sets"); see TABLES.

    An object of another shape than expected is rejected with its JSON text. Raises SourceError while
    iterated, and KeyError for an unknown table.
    """
    wanted = TABLES[table]

    def produce(stream: BatchStream) -> Iterator[Batch]:
        client.info  # noqa: B018  (refuses a server that must not be read before reading it)
        extra = _places(client, stream) if wanted is ORGANISATION_UNITS else {}
        return _read(client, stream, wanted, extra)

    return BatchStream(f"{client.system} {table}", wanted.columns, produce)


def organisation_units(client: Dhis2Client) -> BatchStream:
    """Grain: an organisation unit. Coordinates of points only, read in a request of their own."""
    return metadata(client, "organisation_units")


def organisation_unit_levels(client: Dhis2Client) -> BatchStream:
    """Grain: a level of the tree."""
    return metadata(client, "organisation_unit_levels")


def organisation_unit_group_members(client: Dhis2Client) -> BatchStream:
    """Grain: a unit in a group in a group set; the group set is NULL for a group that is in none."""
    return metadata(client, "organisation_unit_group_members")


def data_elements(client: Dhis2Client) -> BatchStream:
    """Grain: a data element."""
    return metadata(client, "data_elements")


def category_option_combos(client: Dhis2Client) -> BatchStream:
    """Grain: a category option combo."""
    return metadata(client, "category_option_combos")


def category_option_combo_options(client: Dhis2Client) -> BatchStream:
    """Grain: a category option of a combo, with the category it stands for."""
    return metadata(client, "category_option_combo_options")


def data_sets(client: Dhis2Client) -> BatchStream:
    """Grain: a data set."""
    return metadata(client, "data_sets")


def data_set_elements(client: Dhis2Client) -> BatchStream:
    """Grain: a data element of a data set; `category_combo` only where it overrides the element's."""
    return metadata(client, "data_set_elements")


def data_set_org_units(client: Dhis2Client) -> BatchStream:
    """Grain: a unit to which a data set is assigned."""
    return metadata(client, "data_set_org_units")


def indicators(client: Dhis2Client) -> BatchStream:
    """Grain: an indicator. `indicator_type` is an id; `factor` is that type's."""
    return metadata(client, "indicators")


def constants(client: Dhis2Client) -> BatchStream:
    """Grain: a constant."""
    return metadata(client, "constants")


def programs(client: Dhis2Client) -> BatchStream:
    """Grain: a program, tracker or not."""
    return metadata(client, "programs")


def program_stages(client: Dhis2Client) -> BatchStream:
    """Grain: a program stage."""
    return metadata(client, "program_stages")


def program_stage_data_elements(client: Dhis2Client) -> BatchStream:
    """Grain: a data element of a program stage."""
    return metadata(client, "program_stage_data_elements")


def program_attributes(client: Dhis2Client) -> BatchStream:
    """Grain: a tracked entity attribute of a program."""
    return metadata(client, "program_attributes")


def options(client: Dhis2Client) -> BatchStream:
    """Grain: an option of an option set."""
    return metadata(client, "options")


def _read(client: Dhis2Client, stream: BatchStream, table: MetadataTable, extra: Mapping[str, Row]) -> Iterator[Batch]:
    label = f"{client.system} {table.resource}"
    seen: set[str] = set()
    for body in _bodies(client, table):
        count = 0
        rows = _rows(_objects(client, table, body), table, seen)
        while some := list(islice(rows, ROWS_PER_BATCH)):
            good = [{**row, **extra.get(row.get("id") or "", {})} for row in some if isinstance(row, Mapping)]
            rejects = rejects_of([row for row in some if isinstance(row, tuple)])
            count += len(some)
            yield Batch(frame_of(good, table.columns), label, rejects)
        stream.record(SliceStats(label, body.url, count, body.bytes, body.seconds, body.attempts))


def _rows(objects: Iterator[Any], table: MetadataTable, seen: set[str]) -> Iterator[Row | Reject]:
    """Rows, or rejects, of the objects not seen before (pages may repeat some)."""
    for item in objects:
        key = _key(item, table)
        if key is not None and key in seen:
            continue
        if key is not None:
            seen.add(key)
        try:
            parsed = table.model.model_validate(item)
        except ValidationError as exc:
            yield json.dumps(item, ensure_ascii=False), "shape", _faults(exc)
            continue
        yield from table.rows(parsed)


def _key(item: Any, table: MetadataTable) -> str | None:
    key = item.get(table.key) if isinstance(item, dict) else None
    return None if key is None else str(key)


def _faults(exc: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in exc.errors())


def _places(client: Dhis2Client, stream: BatchStream) -> dict[str, Row]:
    """Longitude and latitude by unit id. Apart from the list: areas can outweigh it ten times."""
    found: dict[str, Row] = {}
    for body in _bodies(client, _PLACES):
        for item in _objects(client, _PLACES, body):
            try:
                place = Place.model_validate(item)
            except ValidationError as exc:
                log.warning("%s: a place was left out: %s", client.system, _faults(exc))
                continue
            point = point_of(place)
            if point is not None:
                found[place.id] = {"longitude": point[0], "latitude": point[1]}
        label = f"{client.system} {_PLACES.name}"
        stream.record(SliceStats(label, body.url, 0, body.bytes, body.seconds, body.attempts))
    return found


def _objects(client: Dhis2Client, table: MetadataTable, body: Spooled) -> Iterator[Any]:
    """The list's objects. Raises UnexpectedContent where the reply has no such list."""
    found = False
    for member in members(body.path):
        if member.key == table.resource:
            found = True
            if member.in_array:
                yield member.value
    if not found:
        raise UnexpectedContent(client.system, body.url, f"the reply has no list {table.resource}")


def _bodies(client: Dhis2Client, table: MetadataTable) -> Iterator[Spooled]:
    """The whole list as one body, or as pages where one is too much for the server."""
    params = [("fields", table.fields), ("paging", "false")]
    error: SourceError | None = None
    try:
        whole = client.http.spool(f"api/{table.resource}", params, JSON, divisible=True)
    except SourceError as exc:
        error = exc
    if error is None:
        with whole:
            yield whole
        return
    if not asks_too_much(error):
        raise error
    log.warning("%s Read in pages instead.", error)
    with ExitStack() as stack:
        yield from _pages(client, table, stack)


def _pages(client: Dhis2Client, table: MetadataTable, stack: ExitStack) -> list[Spooled]:
    """Every page on disk, proved to be one whole list.

    An object removed meanwhile moves others to pages already read: then read once more, and then given up
    with TransientSourceError.
    """
    for _ in range(2):
        pages, totals, seen = [], set[int](), set[str]()
        number, last = 1, 1
        while number <= last:
            page = stack.enter_context(_page(client, table, number))
            pages.append(page)
            pager, keys = _page_content(client, table, page)
            seen |= keys
            totals.add(pager.total)
            last = pager.page_count
            # The server's own page number is clamped to the last page and so no guide (contract 1.2).
            number = number + 1 if keys else last + 1
        if totals == {len(seen)}:
            return pages
        log.warning("%s: %s changed while it was read in pages", client.system, table.resource)
    what = f"{table.resource} changed while it was read: {len(seen)} of {max(totals)} objects came"
    raise TransientSourceError(client.system, pages[-1].url, what, advice="Run again.")


def _page(client: Dhis2Client, table: MetadataTable, number: int) -> Spooled:
    params = [
        ("fields", table.fields),
        ("order", f"{table.key}:asc"),
        ("page", str(number)),
        ("pageSize", str(PAGE_SIZE)),
    ]
    return client.http.spool(f"api/{table.resource}", params, JSON)


def _page_content(client: Dhis2Client, table: MetadataTable, page: Spooled) -> tuple[Pager, set[str]]:
    pager: Any = None
    keys: set[str] = set()
    for member in members(page.path):
        if member.key == "pager":
            pager = member.value
        elif member.key == table.resource and isinstance(member.value, dict):
            keys.add(_key(member.value, table) or "")
    try:
        return Pager.model_validate(pager), keys
    except ValidationError as exc:
        fault = _faults(exc)
    raise UnexpectedContent(client.system, page.url, f"a page without a usable pager ({fault})")
