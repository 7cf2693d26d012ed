"""Completeness: GET /api/completeDataSetRegistrations in slices (contract 1.4). One row a registration.

Un-completing leaves a row with completed 'false' or none at all, and nothing says when: whole slices (data
set by period) are pulled again and replaced, never merged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from hic_assets.extract.batches import Batch, BatchStream, SliceStats
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.data_values import DISTRICT_LEVEL
from hic_assets.extract.dhis2.fetching import fetch_ahead
from hic_assets.extract.dhis2.json_rows import JsonLayout, json_batches, unknown_keys
from hic_assets.extract.dhis2.org_units import children_of, units_to_level
from hic_assets.extract.dhis2.slices import Slice, divide, plan
from hic_assets.extract.http import JSON
from hic_assets.extract.spool import Spooled

LAYOUT = JsonLayout(
    array="completeDataSetRegistrations",
    columns={
        "dataSet": "data_set",
        "period": "period",
        "organisationUnit": "org_unit",
        "attributeOptionCombo": "attribute_option_combo",
        "date": "date",
        "storedBy": "stored_by",
        "completed": "completed",
    },
)
COLUMNS = tuple(LAYOUT.columns.values())
_IGNORED = frozenset({"lastUpdated", "lastUpdatedBy", "created"})


def completeness(
    client: Dhis2Client,
    data_sets: Sequence[str],
    periods: Sequence[str],
    *,
    split_level: int = DISTRICT_LEVEL,
    concurrency: int = 2,
) -> BatchStream:
    """Every registration of the data sets in the periods, of the whole tree. Rows carry COLUMNS.

    Sliced as data values are. Raises SourceError while iterated.
    """

    def produce(stream: BatchStream) -> Iterator[Batch]:
        client.info  # noqa: B018  (asked in one thread, so that wrong credentials are tried once)
        slices = plan(data_sets, periods, units_to_level(client, split_level), split_level)
        smaller = partial(divide, children_of=partial(children_of, client))
        for slice_, body in fetch_ahead(slices, partial(_fetch, client), smaller, concurrency):
            with body:
                stream.note_unknown_columns(unknown_keys(body, LAYOUT, _IGNORED))
                rows = 0
                for batch in json_batches(body, LAYOUT, client.system, slice_.label):
                    rows += batch.rows
                    yield batch
                stream.record(SliceStats(slice_.label, body.url, rows, body.bytes, body.seconds, body.attempts))

    return BatchStream(f"{client.system} completeness {', '.join(periods)}", COLUMNS, produce)


def _fetch(client: Dhis2Client, slice_: Slice) -> Spooled:
    return client.http.spool("api/completeDataSetRegistrations", slice_.params(), JSON, divisible=True)
