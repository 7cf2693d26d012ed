"""Plausible answers to the fields of a stage that nothing else determines.

Belongs here: from a field's ``fill`` (catalogue) to a table of 4,096 answers, drawn from by 12 bits of a hash.
Does not belong here: answers that must agree with the person or with one another (see ``programmes``).

``fill`` by value type: numbers ``mean sd low high decimals``; dates ``low high`` days from the event; booleans the
share of true; texts ``a|b|c``, where # is a digit (the digits differ from row to row); ``=`` somebody else answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from hic_assets.sandbox.world.hashing import U64, key, mix, normal, salted, uniform
from hic_assets.sandbox.world.trackers.catalogue import ElementSpec, StageSpec
from hic_assets.sandbox.world.trackers.packing import I32, I64, MISSING, Answer, Sheet, sheet

SIZE = 4096
_MASK = np.uint64(SIZE - 1)
_PER_HASH = 5
FIRST_DAY = int(np.datetime64("1900-01-01", "D").astype(np.int64))
LAST_DAY = int(np.datetime64("2036-01-01", "D").astype(np.int64))
DATES = pl.select(pl.int_range(FIRST_DAY, LAST_DAY, dtype=pl.Int32).cast(pl.Date).dt.strftime("%Y-%m-%d")).to_series()
NUMBERS = pl.Series([str(n) for n in range(7000)], dtype=pl.String)
TENTHS = pl.Series([f"{n / 10:g}" for n in range(3000)], dtype=pl.String)
FLAGS = pl.Series(["false", "true"], dtype=pl.String)
_GONE = np.int32(-(2**30))


def dates(days: I64) -> Answer:
    """Days since 1970 as ``2026-03-02``."""
    return Answer(DATES, (days - FIRST_DAY).astype(np.int32))


def numbers(values: I64) -> Answer:
    """Whole numbers from 0 to 6,999; others are missing."""
    good = (values >= 0) & (values < len(NUMBERS))
    return Answer(NUMBERS, np.where(good, values, MISSING).astype(np.int32))


def tenths(values: I64) -> Answer:
    """Tenths from 0 to 2,999 as decimal numbers (``543`` -> 54.3)."""
    return Answer(TENTHS, np.clip(values, 0, len(TENTHS) - 1).astype(np.int32))


def flags(values: np.ndarray) -> Answer:  # type: ignore[type-arg]
    """Booleans as ``true`` and ``false``."""
    return Answer(FLAGS, values.astype(np.int32))


@dataclass(frozen=True)
class _Table:
    """Answers to one field by 12 bits: positions in ``vocab``, or for dates days to add to the event's."""

    vocab: pl.Series
    position: I32
    relative: bool = False


@cache
def _table(element: ElementSpec) -> _Table | None:
    if element.fill == "=":
        return None
    h = mix(key("fill", element.code) + np.arange(SIZE, dtype=np.uint64))
    unanswered = uniform(salted(h, "filled")) >= element.filled
    if element.value_type == "DATE":
        low, high = (int(n) for n in (element.fill or "0 0").split())
        days = (low + np.floor(uniform(h) * (high - low + 1))).astype(np.int32)
        return _Table(DATES, np.where(unanswered, _GONE, days), relative=True)
    texts, position = _texts(element, h)
    return _Table(pl.Series(texts, dtype=pl.String), np.where(unanswered, MISSING, position).astype(np.int32))


def _texts(element: ElementSpec, h: U64) -> tuple[list[str], np.ndarray]:  # type: ignore[type-arg]
    """The different answers, and which of them each of the 4,096 draws gives."""
    u, kind = uniform(h), element.value_type
    if element.option_set:
        edges = np.cumsum(element.option_set.weights) / sum(element.option_set.weights)
        drawn = np.searchsorted(edges, u, side="right")
        return [code for code, _ in element.option_set.options], np.minimum(drawn, len(edges) - 1)
    if kind == "TRUE_ONLY":
        return ["true"], np.zeros(SIZE)
    if kind == "BOOLEAN":
        return ["true", "false"], u >= float(element.fill)
    if kind == "TIME":
        return [f"{m // 60:02d}:{m % 60:02d}" for m in range(1440)], np.floor(u * 1440)
    if kind.startswith(("INTEGER", "NUMBER", "PERCENTAGE")):
        mean, deviation, low, high, decimals = (float(n) for n in element.fill.split())
        steps = np.round(np.clip(mean + deviation * normal(h), low, high) * 10**decimals)
        values, position = np.unique(steps, return_inverse=True)
        return [f"{n / 10**decimals:g}" for n in values], position
    choices = [c.replace("\\n", "\n") for c in element.fill.split("|")]
    which = np.floor(u * len(choices)).astype(np.intp)
    if "#" not in element.fill:
        return choices, which
    made = np.empty(SIZE, dtype=object)
    for at, pattern in enumerate(choices):
        rows = np.nonzero(which == at)[0]
        made[rows] = _digits(pattern, salted(h[rows], "digits"))
    return made.tolist(), np.arange(SIZE)


def _digits(pattern: str, hashes: U64) -> list[str]:
    """The pattern once a hash, every # a digit of it."""
    letters = np.array([list(pattern)] * len(hashes), dtype="U1").reshape(len(hashes), len(pattern))
    for turn, at in enumerate(i for i, c in enumerate(pattern) if c == "#"):
        digit = hashes // np.uint64(10**turn) % np.uint64(10)
        letters[:, at] = digit.astype("U1")
    return ["".join(row) for row in letters.tolist()]


@dataclass(frozen=True)
class _Form:
    """A stage made ready: the tables of its elements in one vocabulary."""

    fields: list[str]
    vocab: pl.Series
    tables: list[tuple[int, I32, bool]]


@cache
def _form(stage: StageSpec) -> _Form:
    vocab, shift, tables = [DATES], len(DATES), []
    for column, element in enumerate(stage.data_elements):
        table = _table(element)
        if table is None:
            continue
        position = table.position
        if not table.relative:
            position = np.where(position < 0, MISSING, position + shift).astype(np.int32)
            vocab.append(table.vocab)
            shift += len(table.vocab)
        tables.append((column, position, table.relative))
    return _Form([e.uid for e in stage.data_elements], pl.concat(vocab, rechunk=True), tables)


def answers(stage: StageSpec, hashes: U64, days: I64, given: Mapping[str, Answer]) -> Sheet:
    """The sheet of many events of a stage: drawn by their hashes, overwritten by what is ``given`` (by code)."""
    form = _form(stage)
    codes = {e.code: e.uid for e in stage.data_elements}
    index = np.full((len(hashes), len(form.fields)), MISSING, dtype=np.int32, order="F")
    bits = np.zeros(0, dtype=np.uint64)
    for turn, (column, position, relative) in enumerate(form.tables):
        if turn % _PER_HASH == 0:
            bits = salted(hashes, "answers", turn)
        index[:, column] = _drawn(bits, turn % _PER_HASH, position, relative, days)
    return sheet({codes[c]: a for c, a in given.items()}, len(hashes), Sheet(form.fields, form.vocab, index))


def _drawn(bits: U64, part: int, position: I32, relative: bool, days: I64) -> I32:
    drawn = position[((bits >> np.uint64(12 * part)) & _MASK).astype(np.intp)]
    if relative:
        drawn = np.where(drawn == _GONE, MISSING, drawn + (days - FIRST_DAY)).astype(np.int32)
    return drawn


def corrected(stage: StageSpec, made: Sheet, hashes: U64, days: I64) -> Sheet:
    """The same rows after somebody corrected one answer in each (sometimes to what it was)."""
    form = _form(stage)
    index = made.index.copy()
    h = salted(hashes, "corrected")
    which = (h % np.uint64(len(form.tables))).astype(np.intp)
    for turn, (column, position, relative) in enumerate(form.tables):
        rows = np.nonzero(which == turn)[0]
        if len(rows):
            index[rows, column] = _drawn(h[rows] >> np.uint64(32), 0, position, relative, days[rows])
    return Sheet(made.fields, made.vocab, index)
