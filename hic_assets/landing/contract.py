"""The contract of a table, checked column-wise on a batch: which rows may land and which are quarantined.

Belongs here: rules that need one batch and the registries. Does not: duplicates (they need the whole load), storage.
A row that breaks several rules is quarantined once, under the first rule in the order below, with all reasons. Reasons
reach Dagster and the command line: they quote a value only of columns that everybody may read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from hic_assets.landing.table import Table
from hic_assets.periods import NotAPeriod, parse_period

QUARANTINE_SCHEMA = {"rule": pl.String, "reason": pl.String, "row": pl.String, "key": pl.String}
NOT_SHOWN = "(a value that is not shown)"
_ZONED = "%Y-%m-%dT%H:%M:%S%.f%z"


@dataclass(frozen=True)
class CheckContext:
    """What a batch is checked against: the partition's periods and the registries' identifiers.

    ``registries`` maps a registry table to its identifiers; ``numeric`` holds the identifiers of data elements
    whose values must be numbers.
    """

    periods: frozenset[str] = frozenset()
    registries: Mapping[str, pl.Series] = field(default_factory=dict)
    numeric: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.String))


@dataclass(frozen=True)
class Checked:
    """A batch divided: ``good`` rows (with ``_source_updated_at``) and ``bad`` ones (rule, reason, row as text, key).

    ``newest``: the greatest timestamp of the source in either.
    """

    good: pl.DataFrame
    bad: pl.DataFrame
    newest: datetime | None


@dataclass(frozen=True)
class _Broken:
    """One rule broken by some rows: the mask and the words for it."""

    rule: str
    mask: pl.Series
    reason: pl.Expr


def check(frame: pl.DataFrame, table: Table, context: CheckContext, *, without_nul: bool = False) -> Checked:
    """Divide a batch by the table's contract. Columns of ``frame`` are the table's, all text.

    ``without_nul``: the reader has seen the bytes and there is no U+0000 among them, so it is not looked for again.
    """
    frame = frame.select(table.column_names)
    broken = [
        *_missing(frame, table),
        *_period(frame, table, context),
        *_references(frame, table, context),
        *_not_allowed(frame, table),
        *_not_a_number(frame, table, context),
        *([] if without_nul else _unstorable(frame)),
        *_unstorable_json(frame, table),
    ]
    frame, bad_time = _with_updated_at(frame, table)
    broken += bad_time
    newest: Any = frame["_source_updated_at"].max()
    if not broken:
        return Checked(frame, pl.DataFrame(schema=QUARANTINE_SCHEMA), newest)
    bad_mask = broken[0].mask
    for rule in broken[1:]:
        bad_mask = bad_mask | rule.mask
    return Checked(frame.filter(~bad_mask), _quarantined(frame, broken, bad_mask, table), newest)


def _quarantined(frame: pl.DataFrame, broken: list[_Broken], bad_mask: pl.Series, table: Table) -> pl.DataFrame:
    """The refused rows with the first rule each broke, every reason, and their text as it came."""
    marked = frame.with_columns([b.mask.alias(f"__{i}") for i, b in enumerate(broken)]).filter(bad_mask)
    rule = pl.coalesce([pl.when(pl.col(f"__{i}")).then(pl.lit(b.rule)) for i, b in enumerate(broken)])
    reasons = [pl.when(pl.col(f"__{i}")).then(b.reason) for i, b in enumerate(broken)]
    key = pl.col(table.keys[0]) if len(table.keys) == 1 else pl.lit(None, dtype=pl.String)
    text = [pl.col(c).str.replace_all("\x00", "\u2400", literal=True) for c in table.column_names]
    return marked.select(
        rule.alias("rule"),
        pl.concat_str(reasons, separator="; ", ignore_nulls=True)
        .str.replace_all("\x00", "\u2400", literal=True)
        .alias("reason"),
        pl.struct(text).struct.json_encode().alias("row"),
        key.alias("key"),
    )


def _words(table: Table, before: str, column: str, after: str) -> pl.Expr:
    """The cell's text between words. Not pl.format: in Polars 2.1 it panics on a frame with an empty chunk."""
    shown = pl.lit(NOT_SHOWN) if _is_sensitive(table, column) else pl.col(column)
    return pl.concat_str(pl.lit(before), shown, pl.lit(after))


def _is_sensitive(table: Table, column: str) -> bool:
    return any(one.sensitive for one in table.columns if one.name == column)


def _missing(frame: pl.DataFrame, table: Table) -> list[_Broken]:
    names = [c.name for c in table.columns if c.must_be_present and frame[c.name].null_count()]
    return [_Broken("missing_value", frame[n].is_null(), pl.lit(f"{n} is empty")) for n in names]


def _period(frame: pl.DataFrame, table: Table, context: CheckContext) -> list[_Broken]:
    """Periods that do not exist, and periods that belong to another partition than the one asked for."""
    if not table.period_column or not context.periods:
        return []
    column = frame[table.period_column]
    strange = [p for p in column.unique().to_list() if p is not None and p not in context.periods]
    reasons = {p: _why_no_period(p) for p in strange}
    broken = []
    impossible = [p for p, reason in reasons.items() if reason]
    if impossible:
        told = [NOT_SHOWN if _is_sensitive(table, column.name) else reasons[p] for p in impossible]
        reason = pl.col(column.name).replace_strict(impossible, told, default=None)
        broken.append(_Broken("impossible_period", column.is_in(impossible), reason))
    foreign = [p for p, reason in reasons.items() if not reason]
    if foreign:
        asked = ", ".join(sorted(context.periods)[:3])
        words = _words(table, "period ", column.name, f" was not asked for (asked: {asked})")
        broken.append(_Broken("period_outside_partition", column.is_in(foreign), words))
    return broken


def _why_no_period(text: str) -> str | None:
    """The words of the parser for a period that does not exist; None for one that does."""
    try:
        parse_period(text)
    except NotAPeriod as error:
        return str(error)
    return None


def _references(frame: pl.DataFrame, table: Table, context: CheckContext) -> list[_Broken]:
    broken = []
    for column in table.columns:
        if column.reference is None:
            continue
        seen = frame[column.name].unique().drop_nulls()
        unknown = seen.filter(~seen.is_in(context.registries[column.reference.table].implode()))
        if unknown.len():
            words = _words(table, f"{column.name} ", column.name, f" is not in raw.{column.reference.table}")
            mask = frame[column.name].is_in(unknown.implode()).fill_null(False)
            broken.append(_Broken(column.reference.rule, mask, words))
    return broken


def _not_allowed(frame: pl.DataFrame, table: Table) -> list[_Broken]:
    broken = []
    for column in table.columns:
        if not column.allowed:
            continue
        seen = frame[column.name].unique().drop_nulls()
        strange = seen.filter(~seen.is_in(sorted(column.allowed)))
        if strange.len():
            words = _words(
                table, f"{column.name} is ", column.name, f", not one of {', '.join(sorted(column.allowed))}"
            )
            mask = frame[column.name].is_in(strange.implode()).fill_null(False)
            broken.append(_Broken("not_allowed", mask, words))
    return broken


def _not_a_number(frame: pl.DataFrame, table: Table, context: CheckContext) -> list[_Broken]:
    """Values that are no finite number although the data element's valueType says they are (contract 1.12)."""
    if not table.value_column or context.numeric.is_empty():
        return []
    value = frame[table.value_column]
    number = value.cast(pl.Float64, strict=False)
    suspect = value.is_not_null() & ~number.is_finite().fill_null(False)
    if not suspect.any():
        return []
    mask = suspect & frame["data_element"].is_in(context.numeric.implode()).fill_null(False)
    words = _words(table, "value ", table.value_column, " is not a number")
    return [_Broken("not_a_number", mask, words)] if mask.any() else []


def _unstorable(frame: pl.DataFrame) -> list[_Broken]:
    """PostgreSQL text cannot hold U+0000; one such cell would refuse the whole COPY."""
    broken = []
    for column in frame.get_columns():
        chunks = column.to_arrow().buffers()
        data = chunks[2] if len(chunks) > 2 else None
        if data is None or not len(data) or np.frombuffer(data, dtype=np.uint8).min():
            continue
        mask = column.str.contains("\x00", literal=True).fill_null(False)
        if mask.any():
            broken.append(_Broken("unstorable_text", mask, pl.lit(f"{column.name} holds a NUL character")))
    return broken


def _unstorable_json(frame: pl.DataFrame, table: Table) -> list[_Broken]:
    """U+0000 escaped in JSON: text can hold it, but PostgreSQL can read no value of it, nor of any row beside it."""
    broken = []
    for column in table.columns:
        if not column.json or not frame[column.name].str.contains("\\u0000", literal=True).any():
            continue
        mask = frame[column.name].str.contains(r"(^|[^\\])(\\\\)*\\u0000").fill_null(False)
        if mask.any():
            broken.append(_Broken("unstorable_text", mask, pl.lit(f"{column.name} holds a NUL character")))
    return broken


def _with_updated_at(frame: pl.DataFrame, table: Table) -> tuple[pl.DataFrame, list[_Broken]]:
    """Add ``_source_updated_at`` (UTC instant); parsed once a distinct text, since reports share their timestamps."""
    target = pl.Datetime("us", "UTC")
    if table.updated_column is None:
        return frame.with_columns(pl.lit(None, dtype=target).alias("_source_updated_at")), []
    text = frame[table.updated_column]
    distinct = text.unique().drop_nulls()
    if 2 * distinct.len() > text.len():  # patients' records have a time each: nothing is saved
        parsed = text.str.to_datetime(_ZONED, time_unit="us", time_zone="UTC", strict=False)
    else:
        instants = distinct.str.to_datetime(_ZONED, time_unit="us", time_zone="UTC", strict=False)
        parsed = text.replace_strict(distinct, instants, default=None, return_dtype=target)
    parsed = parsed.alias("_source_updated_at")
    if not parsed.null_count():
        return frame.with_columns(parsed), []
    mask = text.is_not_null() & parsed.is_null()
    broken = []
    if mask.any():
        words = _words(table, "", table.updated_column, " is no timestamp with a zone")
        broken.append(_Broken("bad_timestamp", mask, words))
    return frame.with_columns(parsed), broken
