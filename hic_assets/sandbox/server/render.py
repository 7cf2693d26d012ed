"""Data values as bytes: CSV and JSON of each dialect.

Source: contract 1.3.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator

import polars as pl

from hic_assets.sandbox.server.dialect import Dialect

CSV_NAMES = {
    "data_element": "dataelement",
    "period": "period",
    "org_unit": "orgunit",
    "category_option_combo": "categoryoptioncombo",
    "attribute_option_combo": "attributeoptioncombo",
    "value": "value",
    "stored_by": "storedby",
    "last_updated": "lastupdated",
    "comment": "comment",
    "follow_up": "followup",
    "deleted": "deleted",
}
CSV_HEADER = (",".join(CSV_NAMES.values()) + "\n").encode()
_JSON = {
    "dataElement": "data_element",
    "period": "period",
    "orgUnit": "org_unit",
    "categoryOptionCombo": "category_option_combo",
    "attributeOptionCombo": "attribute_option_combo",
    "value": "value",
    "storedBy": "stored_by",
    "created": "created",
    "lastUpdated": "last_updated",
    "comment": "comment",
}


def csv(frames: Iterable[pl.DataFrame], dialect: Dialect) -> Iterator[bytes]:
    """The header, then each frame; up to 2.42 ``deleted`` is the text ``null`` where it is not set."""
    yield CSV_HEADER
    for frame in frames:
        wide = frame.select(list(CSV_NAMES))
        if not dialect.hoists:
            wide = wide.with_columns(pl.col("deleted").fill_null("null"))
        if wide.height:
            buffer = io.BytesIO()
            wide.write_csv(buffer, include_header=False)
            yield buffer.getvalue()


def json_values(frames: Iterable[pl.DataFrame], dialect: Dialect, roots: dict[str, str]) -> Iterator[bytes]:
    """``{..roots, "dataValues":[..]}``; from 2.43 the root's keys and nulls are left out of the rows."""
    head = "".join(f"{json.dumps(k)}:{json.dumps(v)}," for k, v in roots.items())
    yield f'{{{head}"dataValues":['.encode()
    first = True
    for frame in frames:
        if frame.height:
            rows = _rows(frame, dialect, roots)
            yield rows if first else b"," + rows
            first = False
    yield b"]}"


def _rows(frame: pl.DataFrame, dialect: Dialect, roots: dict[str, str]) -> bytes:
    hoisted = roots if dialect.hoists else {}
    columns = [pl.col(source).alias(name) for name, source in _JSON.items() if name not in hoisted]
    columns.append((pl.col("follow_up") == "true").alias("followup"))
    columns.append(pl.when(pl.col("deleted") == "true").then(True).alias("deleted"))
    text = frame.select(columns).write_ndjson().encode().rstrip(b"\n").replace(b"\n", b",")
    text = text.replace(b',"deleted":null', b"")
    if dialect.hoists:
        for name in ("storedBy", "comment", "created", "lastUpdated"):
            text = text.replace(f',"{name}":null'.encode(), b"")
    return text
