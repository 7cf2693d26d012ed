"""The data values of a month, calculated from hashes for any set of facilities; nothing is kept.

Belongs here: the numbers in the reports and what was later edited or deleted. Stock cards are in ``stock``.
Source: domain traps 7 (zeros are not stored), 17, 19, 22; contract 1.3 and 1.12.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from hic_assets.sandbox.world import catalogue, stock
from hic_assets.sandbox.world.facilities import CLASSES
from hic_assets.sandbox.world.hashing import F64, U64, cross, keys, mix, normal, salted, uniform
from hic_assets.sandbox.world.memo import Memo
from hic_assets.sandbox.world.reporting import Bools, Reports
from hic_assets.sandbox.world.roster import I64, Roster, fingerprint
from hic_assets.sandbox.world.sheets import (
    CHAINS,
    Sheet,
    geography_factors,
    month_factors,
    outbreak_factors,
    sheet,
)

COLUMNS = [
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
]
SCHEMA = {**dict.fromkeys(COLUMNS, pl.String), "created": pl.String, "_ts": pl.Int64}
# each section of a report is saved four minutes after the one before (ms)
SECTION_PAUSE = 240_000
_CHAIN_KEYS = keys("chain", CHAINS)
QUALIFICATIONS = ["A1 nurse", "A2 nurse", "Data manager", "Titulaire, infirmier A1", "Médecin"]
REMARKS = [
    "Rupture de stock, voir rapport\nSuivi en cours",
    'Said "no RDT" for two weeks',
    "Late: network down; entered from paper",
    "RAS",
]
COMMENTS = ["checked with the register, correct", 'see "remarks"\nof the facility', "corrigé après supervision"]
_ELEMENTS = pl.Series([e.uid for e in catalogue.data_elements()], dtype=pl.String)


_MONTHS: Memo[pl.DataFrame] = Memo(most=400_000, size=lambda frame: frame.height)


def month_values(
    roster: Roster, month: date, made: Reports, now: int, elements: frozenset[str] | None = None
) -> pl.DataFrame:
    """Every stored value of the month known at ``now``, tombstones included; columns as SCHEMA.

    ``elements`` narrows to these data element uids. Row order is by form group, facility and cell.
    """
    asked = (fingerprint(roster), month, fingerprint(made), now, elements)
    return _MONTHS.get(asked, lambda: _month_values(roster, month, made, now, elements))


def _month_values(
    roster: Roster, month: date, made: Reports, now: int, elements: frozenset[str] | None
) -> pl.DataFrame:
    frames = []
    wanted = None if elements is None else np.array([e.uid in elements for e in catalogue.data_elements()])
    for position, form in enumerate(CLASSES):
        index = np.nonzero(roster.form == position)[0]
        cells = sheet(form)
        if wanted is not None:
            cells = cells.take(np.nonzero(wanted[cells.elements])[0])
        if len(index) and len(cells.combos):
            part = Reports(**{name: value[index] for name, value in made.__dict__.items()})
            frames.append(_form_values(roster.take(index), cells, month, part, now))
    return pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)


def _form_values(roster: Roster, cells: Sheet, month: date, made: Reports, now: int) -> pl.DataFrame:
    numbers = _numbers(roster, cells, month)
    stock.fill(numbers, roster, cells, month)
    _reports_own(numbers, roster, cells, month)
    _mistakes(numbers, roster, cells, month)
    visible = made.arrived[:, cells.data_set] + cells.section * SECTION_PAUSE <= now
    row, column = np.nonzero((numbers != 0) & visible)
    if not len(row):
        return pl.DataFrame(schema=SCHEMA)
    return _frame(roster, cells, month, made, now, row, column, numbers[row, column])


def _numbers(roster: Roster, cells: Sheet, month: date) -> I64:
    """Counts, shape (facilities, cells). Cells of one chain share noise and rounding, so ANC4 stays below ANC1."""
    moving = 0.16 * normal(cross(salted(roster.keys, "noise", month), _CHAIN_KEYS))
    lasting = 0.3 * normal(cross(salted(roster.keys, "level"), _CHAIN_KEYS)) - 0.045
    steady = np.exp(lasting)[:, cells.chain]
    noise: F64 = steady * np.where(cells.stock, 1.0, np.exp(moving - 0.013)[:, cells.chain])
    noise *= geography_factors(roster)[:, cells.geo]
    noise *= (cells.expected * month_factors(cells, month))[None, :]
    outbreak = np.where(cells.stock[None, :], 1.0, outbreak_factors(roster, month)[:, None])
    noise *= roster.weight[:, None] * outbreak
    monthly = uniform(cross(salted(roster.keys, "round", month), cells.coupling))
    if cells.stock.any():
        at = np.nonzero(cells.stock)[0]
        monthly[:, at] = uniform(cross(salted(roster.keys, "round"), cells.coupling[at]))
    result: I64 = np.floor(noise + monthly).astype(np.int64)
    return result


def _reports_own(numbers: I64, roster: Roster, cells: Sheet, month: date) -> None:
    """Text, boolean and date cells hold 1 + the position of what they say, for ``_say``."""
    for kind, choices, often in (("text", 5, 0.95), ("remark", 4, 0.06), ("bool", 2, 0.97), ("date", 9, 0.9)):
        for column in np.nonzero(cells.kinds == kind)[0]:
            h = salted(roster.keys, kind, month)
            filled = uniform(salted(h, "filled")) < often
            numbers[:, column] = np.where(filled, (h % np.uint64(choices)).astype(np.int64) + 1, 0)


def _mistakes(numbers: I64, roster: Roster, cells: Sheet, month: date) -> None:
    """Ten-fold typing errors in a few cells, and ANC4 entered above ANC1 in a few reports."""
    slip = uniform(cross(salted(roster.keys, "slip", month), cells.keys)) < 0.0002
    numeric = np.isin(cells.kinds.astype(str), ["flow", "stock"])
    np.multiply(numbers, 10, out=numbers, where=slip & numeric[None, :] & (numbers >= 5))
    first = [i for (code, _), i in cells.position.items() if code == "ANC1"]
    fourth = cells.position.get(("ANC4", "default"))
    if fourth is not None and first:
        swapped = uniform(salted(roster.keys, "anc", month)) < 0.01
        above = numbers[:, first].sum(axis=1) + 3
        numbers[:, fourth] = np.where(swapped & (numbers[:, fourth] > 0), above, numbers[:, fourth])


def _say(kind: str, number: int, month: date) -> str:
    if kind == "text":
        return QUALIFICATIONS[number - 1]
    if kind == "remark":
        return REMARKS[number - 1]
    if kind == "bool":
        return "true" if number == 1 else "false"
    following = date(month.year + month.month // 12, month.month % 12 + 1, number)
    return following.isoformat()


def _frame(
    roster: Roster, cells: Sheet, month: date, made: Reports, now: int, row: I64, column: I64, number: I64
) -> pl.DataFrame:
    h = mix(salted(roster.keys, "row", month)[row] ^ cells.keys[column])
    data_set = cells.data_set[column]
    edited = (made.edited[row, data_set] <= now) & (uniform(salted(h, "edit")) < 0.06)
    removed = edited & (uniform(salted(h, "gone")) < 0.08)
    spoken = ~np.isin(cells.kinds.astype(str), ["flow", "stock", "stock_movement", "stockout_days"])[column]
    changed = np.maximum(1, number * (0.6 + 0.8 * uniform(salted(h, "to")))).astype(np.int64) + 1
    value = pl.Series(np.where(edited & ~removed & ~spoken, changed, number)).cast(pl.String)
    at = np.nonzero(spoken)[0]
    if len(at):
        said = [_say(cells.kinds[column[i]], int(number[i]), month) for i in at]
        value = value.scatter(pl.Series(at), pl.Series(said))
    stamps, entered, final = _stamps(cells, made, row, column, edited)
    rare = uniform(salted(h, "rare"))
    length = len(row)
    return pl.DataFrame(
        {
            "data_element": _ELEMENTS.gather(cells.elements[column]),
            "period": pl.repeat(f"{month:%Y%m}", length, dtype=pl.String, eager=True),
            "org_unit": pl.Series(roster.uids.tolist(), dtype=pl.String).gather(row),
            "category_option_combo": pl.Series(cells.combos, dtype=pl.String).gather(column),
            "attribute_option_combo": pl.repeat(catalogue.DEFAULT_COMBO, length, dtype=pl.String, eager=True),
            "value": value,
            "stored_by": _users(roster, row, rare),
            "last_updated": stamps.gather(final),
            "comment": _comments(h, rare < 0.0006),
            "follow_up": pl.repeat("false", length, dtype=pl.String, eager=True).set(pl.Series(rare > 0.9995), "true"),
            "deleted": pl.repeat(None, length, dtype=pl.String, eager=True).set(pl.Series(removed), "true"),
            "created": stamps.gather(entered),
            "_ts": stamps.to_frame("t").select(_TO_MS).to_series().gather(final),
        },
        schema=SCHEMA,
    )


_TO_MS = pl.col("t").str.to_datetime("%Y-%m-%dT%H:%M:%S%.3f%z", time_zone="UTC").dt.epoch("ms")


def _stamps(cells: Sheet, made: Reports, row: I64, column: I64, edited: Bools) -> tuple[pl.Series, I64, I64]:
    """The moments of entry and last change as text (few distinct ones, so format those) and positions in it."""
    data_set = cells.data_set[column]
    entered = made.arrived[row, data_set] + cells.section[column] * SECTION_PAUSE
    final = np.where(edited, made.edited[row, data_set], entered)
    moments, position = np.unique(np.concatenate([entered, final]), return_inverse=True)
    text = timestamps(moments)
    return text, position[: len(row)].astype(np.int64), position[len(row) :].astype(np.int64)


def timestamps(moments: npt.NDArray[np.int64]) -> pl.Series:
    """Milliseconds as this endpoint writes them: ``2015-04-05T21:58:12.000+0000`` (contract 1.3)."""
    series = pl.from_epoch(pl.Series("t", moments, dtype=pl.Int64), time_unit="ms")
    return series.dt.strftime("%Y-%m-%dT%H:%M:%S%.3f") + "+0000"


def _users(roster: Roster, row: I64, rare: F64) -> pl.Series:
    names = pl.Series([f"hmis.{d}" for d in roster.district], dtype=pl.String).gather(row)
    return names.set(pl.Series((rare > 0.5) & (rare < 0.508)), None)


def _comments(h: U64, has: Bools) -> pl.Series:
    series = pl.repeat(None, len(h), dtype=pl.String, eager=True)
    at = np.nonzero(has)[0]
    if not len(at):
        return series
    words = [COMMENTS[int(h[i] % np.uint64(len(COMMENTS)))] for i in at]
    return series.scatter(pl.Series(at), pl.Series(words))
