"""Records of a tracker programme by the old endpoints: whole tree, page after page (contract 1.6).

Kept simple, since it is to be deleted: no planning, no division, nothing at once, no resuming. Rows that pages repeat
are handed on; landing keeps the newest and counts the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from hic_assets.extract.batches import Batch, BatchStream, SliceStats
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.legacy_tracker.fields import LEGACY_MEMBERS, columns
from hic_assets.extract.dhis2.org_units import units_to_level
from hic_assets.extract.dhis2.slices import OrgUnit
from hic_assets.extract.dhis2.tracker.belonging import Belonging, belonging
from hic_assets.extract.dhis2.tracker.decoding import Record, Shape
from hic_assets.extract.dhis2.tracker.fields import Form, Kind, Member
from hic_assets.extract.dhis2.tracker.frames import record_frame
from hic_assets.extract.dhis2.tracker.json_values import VALUE_KEYS
from hic_assets.extract.dhis2.tracker.pages import Page, read_page
from hic_assets.extract.dhis2.tracker.paging import MOST_PAGES
from hic_assets.extract.dhis2.tracker.slices import Window
from hic_assets.extract.errors import EndpointGone, UnexpectedContent
from hic_assets.extract.http import JSON
from hic_assets.extract.spool import Fault, Spooled

PAGE_ROWS = 2_000
Params = list[tuple[str, str]]


@dataclass(frozen=True)
class _Endpoint:
    """`order`: by creation where the endpoint can, since it pages by the change time otherwise and rows escape."""

    name: str
    unit: str
    first: str
    last: str
    order: bool = True


_ENDPOINTS = {
    Kind.TRACKED_ENTITIES: _Endpoint("trackedEntityInstances", "ou", "programStartDate", "programEndDate"),
    Kind.ENROLLMENTS: _Endpoint("enrollments", "ou", "programStartDate", "programEndDate", order=False),
    Kind.EVENTS: _Endpoint("events", "orgUnit", "startDate", "endDate"),
}
_NESTED_DAY = "enrollmentDate"


def records(
    client: Dhis2Client, kind: Kind, program: str, start: date, end: date, *, programme: str | None = None
) -> BatchStream:
    """Every record of the kind in the programme from `start` to before `end`, of the whole tree, tombstones included.

    Grain and meaning as the unified `tracker.read.records`; columns as `fields.columns(kind)`. `program`: UID;
    `programme`: as people call it, for what is said. Raises SourceError while iterated: EndpointGone, before anything
    is asked, from 2.42 on.
    """
    if end <= start:
        raise ValueError("the window must end after it starts")

    def produce(stream: BatchStream) -> Iterator[Batch]:
        _refuse_without_endpoint(client, kind, programme or program)
        stream.read_at = client.server_time()
        for root in units_to_level(client, 1):
            for body, page in _pages(client, kind, program, root, (start, end)):
                batch = Batch(page.frame, root.name, page.rejects, page.without_nul)
                stream.record(SliceStats(batch.slice, body.url, batch.rows, body.bytes, body.seconds, body.attempts))
                if batch.rows:
                    yield batch

    return BatchStream(f"{client.system} {program} {kind.value} {start} to {end}, legacy", columns(kind), produce)


def _refuse_without_endpoint(client: Dhis2Client, kind: Kind, programme: str) -> None:
    if client.dialect.has_legacy_tracker:
        return
    path = f"api/{_ENDPOINTS[kind].name}"
    what = (
        f"DHIS2 {client.info.version} has no /{path} any more (removed in 2.42): the legacy pipeline of {programme} "
        f"cannot be read"
    )
    advice = f"Use the unified tables (hic cutover {programme})."
    raise EndpointGone(client.system, client.http.url(path), what, advice=advice)


def _params(kind: Kind, program: str, root: OrgUnit, window: Window) -> Params:
    endpoint = _ENDPOINTS[kind]
    asked = [
        ("program", program),
        (endpoint.unit, root.id),
        ("ouMode", "DESCENDANTS"),
        (endpoint.first, str(window[0])),
        (endpoint.last, str(window[1] - timedelta(days=1))),
        ("includeDeleted", "true"),
        ("fields", _fields(kind)),
        ("pageSize", str(PAGE_ROWS)),
        # Without it the pager tells one page and no rows, whatever there is (DHIS2-12530).
        ("totalPages", "true"),
    ]
    return [*asked, ("order", "created:asc")] if endpoint.order else asked


def _fields(kind: Kind) -> str:
    names = [_field(member) for member in LEGACY_MEMBERS[kind]]
    if kind is Kind.TRACKED_ENTITIES:
        names.append(f"enrollments[program,{_NESTED_DAY},deleted]")
    return ",".join(names)


def _field(member: Member) -> str:
    return f"{member.name}[{VALUE_KEYS[member.name]},value]" if member.form is Form.VALUES else member.name


def _pages(
    client: Dhis2Client, kind: Kind, program: str, root: OrgUnit, window: Window
) -> Iterator[tuple[Spooled, Page]]:
    """Pages until as many rows came as were counted, or until an empty one."""
    number, seen = 1, 0
    while True:
        body, page = _page(
            client, kind, program, window, [*_params(kind, program, root, window), ("page", str(number))]
        )
        yield body, page
        seen += page.records
        total, pages = page.paging.total, page.paging.page_count
        # A page in between may be empty: what the account may not see is taken out after pages were made.
        if (total is not None and seen >= total) or (not page.records and number >= (pages or 0)):
            return
        if number >= MOST_PAGES:
            raise UnexpectedContent(client.system, body.url, f"no end after {number:,} pages")
        number += 1


def _page(client: Dhis2Client, kind: Kind, program: str, window: Window, params: Params) -> tuple[Spooled, Page]:
    endpoint, nested = _ENDPOINTS[kind], _NESTED_DAY if kind is Kind.TRACKED_ENTITIES else None
    shape = Shape(LEGACY_MEMBERS[kind], (endpoint.name,), nested)
    frame_of = partial(record_frame, members=LEGACY_MEMBERS[kind], zone=client.time_zone)
    read: list[Page] = []

    def belongs(records: Sequence[Record]) -> Belonging:
        if kind is Kind.TRACKED_ENTITIES:
            return belonging(records, kind, program, window, day_more=False)
        return Belonging(range(len(records)))

    def check(path: Path) -> Fault | None:
        page = read_page(path, shape, belongs, frame_of)
        read[:] = [page] if isinstance(page, Page) else []
        return None if isinstance(page, Page) else page

    with client.http.spool(f"api/{endpoint.name}", params, JSON, check=check) as body:
        return body, read[0]
