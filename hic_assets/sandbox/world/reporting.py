"""Who reports what, and when it arrives: expected reports, gaps, lateness, later edits, completeness registrations.

Belongs here: one moment per (facility, data set, month). Does not belong here: the numbers in the report.
Source: domain traps 6, 7, 19, 21; timeliness 80.8 % public and 25.3 % private (2.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from hic_assets.sandbox.world.catalogue import DATA_SETS, DEFAULT_COMBO, MONTHLY, data_set_uid
from hic_assets.sandbox.world.facilities import CLASSES
from hic_assets.sandbox.world.hashing import U64, cross, keys, salted, uniform
from hic_assets.sandbox.world.roster import I64, NEVER, Roster, local_midnight, next_month

DAY = 86_400_000
HOUR = 3_600_000
# nothing of a month arrives or is edited later than this many days after it ended, except by explicit mutation
LONGEST_DELAY = 260
Bools = npt.NDArray[np.bool_]

ASSIGNED = np.array([[form in DATA_SETS[code][3] for code in MONTHLY] for form in CLASSES])
TIMELY = np.array([DATA_SETS[code][4] for code in MONTHLY], dtype=float)
_SET_KEYS = keys("dataSet", MONTHLY)

REGISTRATION_COLUMNS = [
    "data_set",
    "period",
    "org_unit",
    "attribute_option_combo",
    "date",
    "stored_by",
    "completed",
]


@dataclass(frozen=True)
class Reports:
    """Arrays of shape (facilities, monthly data sets), times in ms UTC, ``NEVER`` where it does not happen."""

    expected: Bools
    arrived: I64
    edited: I64
    registered: I64
    completed: Bools


def _working_hour(start: int, days: npt.NDArray[np.float64], u: npt.NDArray[np.float64]) -> I64:
    """A moment between 08:00 and 17:00 local, so many whole days after ``start``."""
    result: I64 = (start + np.floor(days) * DAY + (8 + 9 * u) * HOUR).astype(np.int64)
    return result


def _hashes(roster: Roster, month: date) -> U64:
    return cross(salted(roster.keys, "report", month), _SET_KEYS)


def _reported(roster: Roster, month: date, h: U64) -> Bools:
    usual = np.where(roster.private, 0.55, 0.985) * (0.96 if month.month in (4, 12) else 1.0)
    spell = uniform(salted(roster.keys, "gap", month.year, (month.month - 1) // 3)) < 0.012
    result: Bools = (uniform(salted(h, "sent")) < usual[:, None]) & ~spell[:, None]
    return result


def _arrival(roster: Roster, month: date, h: U64) -> I64:
    quality = uniform(salted(roster.keys, "quality"))[:, None] * 0.2 - 0.1
    on_time = uniform(salted(h, "ontime")) < np.where(roster.private, 0.26, 0.83)[:, None] + quality
    early = uniform(salted(h, "early")) * (TIMELY - 0.01)
    late = TIMELY + 1 - 12 * np.log1p(-uniform(salted(h, "late")) * 0.99999)
    days = np.where(on_time, early, np.minimum(late, 150))
    return _working_hour(local_midnight(next_month(month)), days, uniform(salted(h, "hour")))


def reports(roster: Roster, month: date, arrivals: dict[tuple[str, str], int] | None = None) -> Reports:
    """The reports about one month. ``arrivals`` overrides arrival by (facility uid, data set code)."""
    h = _hashes(roster, month)
    begin, end = local_midnight(month), local_midnight(next_month(month))
    is_open = (roster.opened < end) & (roster.closed > begin)
    expected = ASSIGNED[roster.form] & is_open[:, None]
    sent = expected & _reported(roster, month, h)
    arrived = np.where(sent, _arrival(roster, month, h), NEVER)
    if arrivals:
        position = {uid: i for i, uid in enumerate(roster.uids)}
        for (facility, data_set), moment in arrivals.items():
            if facility in position and data_set in MONTHLY:
                arrived[position[facility], MONTHLY.index(data_set)] = moment
    later = _working_hour(0, 2 + 75 * uniform(salted(h, "editday")), uniform(salted(h, "edithour")))
    edits = (uniform(salted(h, "edited")) < 0.05) & (arrived != NEVER)
    edited = np.where(edits, (arrived // DAY) * DAY + later, NEVER)
    return Reports(expected, arrived, edited, _registered(h, expected, arrived, end), _completed(h))


def _registered(h: U64, expected: Bools, arrived: I64, end: int) -> I64:
    """Completion follows arrival, sometimes the next day; 1.5 % are forgotten and some are empty promises."""
    lag = np.where(uniform(salted(h, "lag")) < 0.05, DAY, HOUR * 3 // 2)
    forgotten = uniform(salted(h, "forgotten")) < 0.015
    empty = (arrived == NEVER) & expected & (uniform(salted(h, "empty")) < 0.03)
    usual = np.where((arrived == NEVER) | forgotten, NEVER, arrived + lag)
    promise = _working_hour(end, 6 * uniform(salted(h, "promise")), uniform(salted(h, "hour")))
    result: I64 = np.where(empty, promise, usual)
    return result


def _completed(h: U64) -> Bools:
    result: Bools = uniform(salted(h, "uncompleted")) >= 0.005
    return result


def registrations(roster: Roster, month: date, made: Reports, now: int) -> pl.DataFrame:
    """The completeness registrations of a month known at ``now``; columns as REGISTRATION_COLUMNS plus ``_ts``."""
    row, column = np.nonzero(made.registered <= now)
    stamp = made.registered[row, column]
    uids = pl.Series([data_set_uid(code) for code in MONTHLY], dtype=pl.String)
    return pl.DataFrame(
        {
            "data_set": uids.gather(column),
            "period": pl.repeat(f"{month:%Y%m}", len(row), dtype=pl.String, eager=True),
            "org_unit": pl.Series(roster.uids.tolist(), dtype=pl.String).gather(row),
            "attribute_option_combo": pl.repeat(DEFAULT_COMBO, len(row), dtype=pl.String, eager=True),
            "date": local_dates(stamp),
            "stored_by": pl.Series([f"hmis.{d}" for d in roster.district], dtype=pl.String).gather(row),
            "completed": pl.Series(np.where(made.completed[row, column], "true", "false").tolist(), dtype=pl.String),
            "_ts": pl.Series(stamp, dtype=pl.Int64),
        }
    )


def local_dates(stamp: I64) -> pl.Series:
    """Moments (ms UTC) as days in Kigali, ``2026-02-18``."""
    return pl.from_epoch(pl.Series(stamp + 2 * HOUR, dtype=pl.Int64), time_unit="ms").dt.strftime("%Y-%m-%d")
