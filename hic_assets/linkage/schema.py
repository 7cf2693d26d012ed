"""The frames that go into identity resolution and come out of it, column by column.

Belongs here: names, types and what one row is. Does not belong here: what is done with them.
"""

from __future__ import annotations

import polars as pl

Schema = dict[str, pl.DataType | type[pl.DataType]]

IDENTITY = ("system", "record_id")
"""What names a record: the system, and its own identifier in it."""

RECORDS: Schema = {
    "system": pl.String,
    "record_id": pl.String,
    # Names as the source has them; where it has one field for all of them, that is ``surname``.
    "surname": pl.String,
    "given_name": pl.String,
    "sex": pl.String,
    "birth_date": pl.Date,
    # "day", "year" (estimated: only the year is meant) or "age" (worked out from an age: a year more or less)
    "birth_precision": pl.String,
    "birth_order": pl.Int64,
    "multiple_birth": pl.Boolean,
    "nid": pl.String,
    "upi": pl.String,
    # Numbers that a programme gives one person, each with its scheme: "tracnet:123456789012", "passport:PC123456"
    "programme_numbers": pl.List(pl.String),
    "phone": pl.String,
    "mother_name": pl.String,
    "mother_nid": pl.String,
    "district": pl.String,
    "sector": pl.String,
    "cell": pl.String,
    "village": pl.String,
    "facility": pl.String,
    # When the record was written: what comes after it is no date of birth.
    "recorded_on": pl.Date,
}
"""One row a record of a source: a person as one system knows them. Everything but IDENTITY may be null."""

DECISIONS: Schema = {
    "system_l": pl.String,
    "record_id_l": pl.String,
    "system_r": pl.String,
    "record_id_r": pl.String,
    "accepted": pl.Boolean,
}
"""One row a pair that somebody decided: accepted is the same person, else not. The last row of a pair counts."""

ASSIGNMENTS: Schema = {
    "system": pl.String,
    "record_id": pl.String,
    "person_key": pl.String,
    "since": pl.Int64,
}
"""One row a record: whom it is about. ``since`` is the run in which the person's key was made: the smaller, the older."""

EVENTS: Schema = {
    "event": pl.String,
    "person_key": pl.String,
    "other_key": pl.String,
    "records": pl.Int64,
}
"""One row a change of persons. "merged": ``person_key`` took in ``other_key``, which is no more. "split": some records
of ``person_key`` are now ``other_key``. "moved": some went to a person that was there. ``records`` is how many records went over."""

COMPARISONS = ("names", "birth", "sex", "place", "phone", "mother", "nid", "upi", "number")
"""What is compared, in the order of the evidence."""

PAIRS: Schema = {
    "system_l": pl.String,
    "record_id_l": pl.String,
    "system_r": pl.String,
    "record_id_r": pl.String,
    "weight": pl.Float64,
    "verdict": pl.String,
    "reason": pl.String,
    **{f"weight_{name}": pl.Float64 for name in COMPARISONS},
    **{f"level_{name}": pl.Int32 for name in COMPARISONS},
}
"""One row a pair worth keeping, the smaller (system, record_id) left. ``weight`` is log2 of the odds that both are one
person, the prior included; ``weight_*`` and ``level_*`` its parts. ``verdict``: link, review or apart; ``reason``: why."""


def conform(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """The columns of a schema in its order and types; a column that is missing is null.

    Raises:
        ValueError: a column that the schema does not know, or without IDENTITY where the schema has it.
    """
    unknown = set(frame.columns) - set(schema)
    if unknown:
        raise ValueError(f"no such columns: {', '.join(sorted(unknown))}")
    missing = [c for c in IDENTITY if c in schema and c not in frame.columns]
    if missing:
        raise ValueError(f"records must have {' and '.join(missing)}")
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)  # type: ignore[arg-type]
        for name, kind in schema.items()
    )


def empty(schema: Schema) -> pl.DataFrame:
    """No rows."""
    return pl.DataFrame(schema=schema)
