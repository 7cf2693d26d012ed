"""A body on disk to a page of rows, or what is wrong with it. Pure but for reading the file; asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

from hic_assets.extract.batches import rejects_of
from hic_assets.extract.dhis2.tracker.belonging import NO_ENROLMENT, UNPLACED, Belonging, NotAsked
from hic_assets.extract.dhis2.tracker.decoding import (
    Decoded,
    Paging,
    Record,
    Reject,
    Shape,
    WrongShape,
    decode,
    mended,
)
from hic_assets.extract.errors import UnexpectedContent
from hic_assets.extract.spool import Fault, check_json

FrameOf = Callable[[Sequence[Record]], tuple[pl.DataFrame, list[Reject]]]
"""What becomes of the records that belong, and those of which nothing can."""
Belongs = Callable[[Sequence[Record]], Belonging]


@dataclass(frozen=True)
class Page:
    """One reply. `records`: how many the server gave, of which some may not have been asked for and are not in `frame`.

    `ends`: keys of the first and the last of them; empty when there are no two.
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame | None
    without_nul: bool
    records: int
    ends: tuple[str | None, ...]
    paging: Paging


def read_page(path: Path, shape: Shape, belongs: Belongs, frame_of: FrameOf) -> Page | Fault:
    """The rows of a body. A fault where it is cut, broken, of another shape, or the answer to another question."""
    data = path.read_bytes()
    try:
        return _page(decode(data, shape), shape, belongs, frame_of)
    except (WrongShape, NotAsked) as exc:
        return UnexpectedContent, str(exc)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Python's decoder takes what msgspec does not, and tells broken from unfinished.
        fault = check_json(path)
    if fault is not None:
        return fault
    try:
        return _page(decode(mended(data), shape), shape, belongs, frame_of)
    except (WrongShape, NotAsked, msgspec.DecodeError) as exc:
        return UnexpectedContent, str(exc)


def _page(decoded: Decoded, shape: Shape, belongs: Belongs, frame_of: FrameOf) -> Page:
    records = decoded.records
    found = belongs(records)
    whole = len(found.rows) == len(records)
    frame, unreadable = frame_of(records if whole else [records[n] for n in found.rows])
    unplaced = [(msgspec.json.encode(records[n]).decode(), NO_ENROLMENT, UNPLACED) for n in found.unplaced]
    key = next(member.column for member in shape.members if member.key)
    return Page(
        frame,
        rejects_of([*decoded.rejects, *unreadable, *unplaced]),
        decoded.without_nul,
        len(records) + len(decoded.rejects),
        (getattr(records[0], key), getattr(records[-1], key)) if len(records) > 1 else (),
        decoded.paging,
    )
