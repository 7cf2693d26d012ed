"""The columns of the three kinds of record of a tracker, as the store hands them to the server.

Belongs here: names and types. ``_ms`` columns are milliseconds since 1970 UTC; dates are local calendar days.
``_seq`` is the order of database ids; ``_alive_updated_ms`` is ``updated_ms`` but for a deletion, which servers before
2.38.7, 2.39.5, 2.40.3 do not count as a change.
"""

from __future__ import annotations

import polars as pl

TRACKED_ENTITIES, ENROLLMENTS, EVENTS = KINDS = ("tracked_entities", "enrollments", "events")
ATTRIBUTES = pl.List(pl.Struct({"attribute": pl.String, "value": pl.String}))
DATA_VALUES = pl.List(pl.Struct({"data_element": pl.String, "value": pl.String}))

SCHEMAS: dict[str, dict[str, pl.DataType | type[pl.DataType]]] = {
    TRACKED_ENTITIES: {
        "uid": pl.String,
        "tracked_entity_type": pl.String,
        "org_unit": pl.String,
        "created_ms": pl.Int64,
        "updated_ms": pl.Int64,
        "inactive": pl.Boolean,
        "deleted": pl.Boolean,
        "stored_by": pl.String,
        "attributes": ATTRIBUTES,
        "enrolled": pl.List(pl.Date),
        "_seq": pl.Int64,
        "_alive_updated_ms": pl.Int64,
    },
    ENROLLMENTS: {
        "uid": pl.String,
        "tracked_entity": pl.String,
        "program": pl.String,
        "org_unit": pl.String,
        "status": pl.String,
        "enrolled_at": pl.Date,
        "occurred_at": pl.Date,
        "completed_ms": pl.Int64,
        "follow_up": pl.Boolean,
        "created_ms": pl.Int64,
        "updated_ms": pl.Int64,
        "deleted": pl.Boolean,
        "stored_by": pl.String,
        "_seq": pl.Int64,
        "_alive_updated_ms": pl.Int64,
    },
    EVENTS: {
        "uid": pl.String,
        "program": pl.String,
        "program_stage": pl.String,
        "enrollment": pl.String,
        "tracked_entity": pl.String,
        "org_unit": pl.String,
        "status": pl.String,
        "occurred_at": pl.Date,
        "scheduled_at": pl.Date,
        "completed_ms": pl.Int64,
        "completed_by": pl.String,
        "attribute_option_combo": pl.String,
        "follow_up": pl.Boolean,
        "created_ms": pl.Int64,
        "updated_ms": pl.Int64,
        "deleted": pl.Boolean,
        "stored_by": pl.String,
        "longitude": pl.Float64,
        "latitude": pl.Float64,
        "data_values": DATA_VALUES,
        "_seq": pl.Int64,
        "_alive_updated_ms": pl.Int64,
    },
}
