"""Aggregate values: GET /api/dataValueSets in slices (contract 1.3). One row a value, tombstones included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal

from hic_assets.extract.batches import Batch, BatchStream, SliceStats
from hic_assets.extract.csv_batches import CHUNK_BYTES, CsvBody, CsvLayout
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.fetching import fetch_ahead
from hic_assets.extract.dhis2.json_rows import JsonLayout, json_batches, unknown_keys
from hic_assets.extract.dhis2.org_units import children_of, units_to_level
from hic_assets.extract.dhis2.slices import Slice, divide, plan
from hic_assets.extract.http import CSV, JSON
from hic_assets.extract.spool import Spooled

DISTRICT_LEVEL = 3
Format = Literal["csv", "json"]

COLUMNS = (
    "data_element",
    "period",
    "org_unit",
    "category_option_combo",
    "attribute_option_combo",
    "value",
    "stored_by",
    "last_updated",
    "comment",
    "follow_up",
    "deleted",
)
# The header as servers really send it, 2.38 to 2.43; the documentation shows another.
CSV_LAYOUT = CsvLayout(
    columns={name.replace("_", ""): name for name in COLUMNS},
    required=frozenset(name.replace("_", "") for name in COLUMNS) - frozenset({"storedby", "comment", "followup"}),
    nulls={"deleted": "null"},
)
JSON_LAYOUT = JsonLayout(
    array="dataValues",
    columns={
        "dataElement": "data_element",
        "period": "period",
        "orgUnit": "org_unit",
        "categoryOptionCombo": "category_option_combo",
        "attributeOptionCombo": "attribute_option_combo",
        "value": "value",
        "storedBy": "stored_by",
        "lastUpdated": "last_updated",
        "comment": "comment",
        "followup": "follow_up",
        "deleted": "deleted",
    },
    hoisted=frozenset({"dataElement", "period", "orgUnit", "categoryOptionCombo", "attributeOptionCombo"}),
)
_JSON_IGNORED = frozenset({"created"})


def data_values(
    client: Dhis2Client,
    data_sets: Sequence[str],
    periods: Sequence[str],
    *,
    split_level: int = DISTRICT_LEVEL,
    concurrency: int = 2,
    wire: Format = "csv",
    chunk_bytes: int = CHUNK_BYTES,
) -> BatchStream:
    """Every value of the data sets in the periods ("202401", "2024W5", "2024"), of the whole tree.

    One request a period and subtree at `split_level`, and one a period for the units above it. Rows carry
    COLUMNS; a deleted value has deleted = 'true' and its old value. Raises SourceError while iterated; then
    nothing that was yielded is the whole of anything. Read as JSON where the server sends no CSV.
    """

    def produce(stream: BatchStream) -> Iterator[Batch]:
        units = units_to_level(client, split_level)
        slices = plan(data_sets, periods, units, split_level)
        return read_slices(client, stream, slices, concurrency=concurrency, wire=wire, chunk_bytes=chunk_bytes)

    return BatchStream(f"{client.system} data values {', '.join(periods)}", COLUMNS, produce)


def read_slices(
    client: Dhis2Client,
    stream: BatchStream,
    slices: Sequence[Slice],
    *,
    concurrency: int = 2,
    wire: Format = "csv",
    chunk_bytes: int = CHUNK_BYTES,
) -> Iterator[Batch]:
    """The batches of given slices, in order; records stats and unknown columns on the stream."""
    # Asked here, in one thread, so that wrong credentials are tried once and not once a thread.
    empty_ok = client.dialect.empty_body_is_no_rows and wire == "json"
    fetch = partial(_fetch, client, wire, empty_ok)
    smaller = partial(divide, children_of=partial(children_of, client))
    for slice_, body in fetch_ahead(slices, fetch, smaller, concurrency):
        with body:
            rows = 0
            for batch in _batches(client, stream, slice_, body, chunk_bytes):
                rows += batch.rows
                yield batch
            stream.record(SliceStats(slice_.label, body.url, rows, body.bytes, body.seconds, body.attempts))


def _fetch(client: Dhis2Client, wire: Format, empty_ok: bool, slice_: Slice) -> Spooled:
    # `format` because 2.43 ignores the Accept header, the header because older servers heed it.
    params = [*slice_.params(), ("includeDeleted", "true"), ("format", wire)]
    accept = (*CSV, *JSON) if wire == "csv" else JSON
    return client.http.spool("api/dataValueSets", params, accept, divisible=True, empty_ok=empty_ok)


def _batches(
    client: Dhis2Client, stream: BatchStream, slice_: Slice, body: Spooled, chunk_bytes: int
) -> Iterator[Batch]:
    if body.is_csv:
        reader = CsvBody(body.path, CSV_LAYOUT, client.system, body.url)
        stream.note_unknown_columns(reader.unknown_columns)
        yield from reader.batches(slice_.label, chunk_bytes)
    else:
        stream.note_unknown_columns(unknown_keys(body, JSON_LAYOUT, _JSON_IGNORED))
        yield from json_batches(body, JSON_LAYOUT, client.system, slice_.label)
