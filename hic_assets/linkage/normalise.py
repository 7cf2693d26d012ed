"""Person records made comparable: one frame of clean columns, whatever system they come from.

Belongs here: the order of the steps and the columns they give. Does not belong here: the steps (``names``, ``births``,
``identifiers``).
"""

from __future__ import annotations

import polars as pl

from hic_assets.linkage.births import birth_columns
from hic_assets.linkage.identifiers import identifier_columns
from hic_assets.linkage.names import name_columns, place
from hic_assets.linkage.schema import IDENTITY, RECORDS, Schema, conform

NORMALISED: Schema = {
    "system": pl.String,
    "record_id": pl.String,
    "name_tokens": pl.List(pl.String),
    "name_key": pl.String,
    "mother_tokens": pl.List(pl.String),
    "mother_key": pl.String,
    "sex": pl.String,
    "birth_day": pl.Date,
    "birth_swap": pl.Date,
    "birth_year": pl.Int32,
    "birth_about": pl.Boolean,
    "birth_canon": pl.String,
    "birth_order": pl.Int64,
    "multiple_birth": pl.Boolean,
    "nid13": pl.String,
    "mother_nid13": pl.String,
    "upi": pl.String,
    "programme_numbers": pl.List(pl.String),
    "phone": pl.String,
    "district": pl.String,
    "sector": pl.String,
    "village": pl.String,
    "facility": pl.String,
}
"""One row a record, ordered by IDENTITY."""


def normalise(records: pl.DataFrame) -> pl.DataFrame:
    """Records (``RECORDS``) as ``NORMALISED``. What cannot be what it says it is becomes null; no row is left out.

    Raises:
        ValueError: the frame is not one of ``RECORDS``, or names a record twice.
    """
    found = conform(records, RECORDS).sort(IDENTITY)
    if found.select(pl.struct(IDENTITY).is_duplicated().any()).item():
        raise ValueError("a record (system, record_id) is there twice")
    found = identifier_columns(birth_columns(name_columns(found)))
    places = [place(pl.col(c)).alias(c) for c in ("district", "sector", "village")]
    numbers = pl.col("programme_numbers").list.eval(pl.element().str.strip_chars().str.to_uppercase().drop_nulls())
    found = found.with_columns(*places, programme_numbers=pl.when(numbers.list.len() > 0).then(numbers))
    return found.select(list(NORMALISED))
