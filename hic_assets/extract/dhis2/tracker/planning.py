"""The first cut of a pull, by what earlier loads say or by counting once. Asks the server; the cutting is `slices.py`."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.org_units import units_to_level
from hic_assets.extract.dhis2.tracker.decoding import Shape, WrongShape, decode
from hic_assets.extract.dhis2.tracker.question import Question, count_params
from hic_assets.extract.dhis2.tracker.slices import Expected, TrackerSlice, Window, plan, rows_a_request
from hic_assets.extract.errors import SourceError, UnexpectedContent
from hic_assets.extract.http import JSON, asks_too_much
from hic_assets.extract.spool import Fault, check_json

log = logging.getLogger(__name__)


def planned(
    client: Dhis2Client, question: Question, window: Window, expected: Expected | None, split_level: int
) -> list[TrackerSlice]:
    """Slices for the whole tree and window: as few as are likely to be answered in time and in one page each.

    `split_level`: the deepest level of units that is planned for; what is still too much is divided when it shows.
    Raises SourceError.
    """
    roots = units_to_level(client, 1)
    rows = expected.rows if expected else _count(client, question, [TrackerSlice(one, True, window) for one in roots])
    most = rows_a_request(expected, question.page_rows)
    if rows is not None and rows <= most * len(roots):
        return plan(window, roots, rows, most)
    return plan(window, units_to_level(client, split_level), rows, most)


def _count(client: Dhis2Client, question: Question, slices: list[TrackerSlice]) -> int | None:
    """Rows of the slices together; None where the server does not tell, or not in time."""
    total = 0
    for slice_ in slices:
        try:
            counted = _total(client, question, slice_)
        except SourceError as exc:
            if not asks_too_much(exc):
                raise
            log.warning("%s Not counted: cut as small as is planned for.", exc)
            return None
        if counted is None:
            return None
        total += counted
    return total


def _total(client: Dhis2Client, question: Question, slice_: TrackerSlice) -> int | None:
    shape = Shape((), question.shape.lists)
    totals: list[int | None] = []

    def check(path: Path) -> Fault | None:
        try:
            totals[:] = [decode(path.read_bytes(), shape).paging.total]
        except WrongShape as exc:
            return UnexpectedContent, str(exc)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return check_json(path)
        return None

    asked = count_params(question, slice_, client.dialect)
    with client.http.spool(question.path, asked, JSON, divisible=True, check=check):
        return totals[0] if totals else None
