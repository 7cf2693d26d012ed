"""Records made by hand, and small truths: what the tests of linkage share."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from hic_assets.linkage.schema import DECISIONS, RECORDS, conform, empty

SECRET = b"a secret for tests"


def records(*rows: dict[str, Any]) -> pl.DataFrame:
    """Records with defaults: one man of Gasabo."""
    usual: dict[str, Any] = {
        "system": "hiv", "surname": "Mugabo", "given_name": "Jean", "sex": "M", "birth_date": date(1985, 3, 17),
        "birth_precision": "day", "sector": "Remera", "district": "Gasabo", "recorded_on": date(2026, 1, 5),
    }  # fmt: skip
    if not rows:
        return empty(RECORDS)
    whole = [usual | row for row in rows]
    return conform(pl.DataFrame(whole, schema_overrides=RECORDS, infer_schema_length=None), RECORDS)


def decisions(*pairs: tuple[str, str, bool], system: str = "hiv") -> pl.DataFrame:
    """Decisions about records of one system."""
    rows = [(system, left, system, right, accepted) for left, right, accepted in pairs]
    return pl.DataFrame(rows, schema=DECISIONS, orient="row")


def groups(assignments: pl.DataFrame) -> set[frozenset[str]]:
    """Which records are together, by record_id."""
    return {frozenset(ids) for ids in assignments.group_by("person_key").agg("record_id")["record_id"].to_list()}


def key_of(assignments: pl.DataFrame, record_id: str) -> str:
    """The person of a record."""
    return str(assignments.filter(pl.col("record_id") == record_id)["person_key"].item())
