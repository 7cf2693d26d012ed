"""Who reports a week of disease surveillance, by which of the two paths, when, and what is corrected later.

Belongs here: one moment per facility, path and week, and the mistakes between what happened and what is told. Does not
belong here: what happened (``idsr_counts``), how either path writes it. Source: domain facts 2.4 (completeness 96.7 %
public and 42.8 % private, timeliness 80.8 % and 25.3 % of what is expected), traps 6, 7, 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from hic_assets.sandbox.world.clinical.idsr_counts import CELLS, SHAPE, Counts
from hic_assets.sandbox.world.clinical.idsr_diseases import REPORTING_FORMS
from hic_assets.sandbox.world.facilities import CLASSES
from hic_assets.sandbox.world.hashing import F64, U64, cross, normal, salted, uniform
from hic_assets.sandbox.world.reporting import DAY, HOUR, Bools
from hic_assets.sandbox.world.roster import I64, NEVER, Roster, local_midnight

TIMELY_DAYS = 3
"""Days after the week's end (a Sunday) by which a report is on time: the Wednesday."""
LONGEST_DELAY = 110
"""Nothing of a week arrives or is corrected later than this many days after it ended, except by explicit mutation."""
SENT, ON_TIME = (0.967, 0.428), (0.808 / 0.967, 0.253 / 0.428)
"""Shares of public and private facilities: that report at all, and of those that do, on time."""
ONLY_DIRECT, ONLY_DHIS2 = 0.06, 0.08
"""Facilities that report by one path only, always."""
ONE_PATH_FAILS = 0.015
"""Reports of the others that reach one of the paths only, by path."""
CORRECTED = 0.08
TYPED_WRONG = 0.01
"""Cells other than zero that are typed wrongly into DHIS2."""
LEAVES_ZEROS_BLANK = 0.05
"""Facilities that leave cells without a case blank, in DHIS2 (trap 7)."""


@dataclass(frozen=True)
class Path:
    """One path, arrays by facility, in ms UTC, ``NEVER`` where it does not happen."""

    arrived: I64
    corrected: I64


@dataclass(frozen=True)
class Reports:
    """A week's reports, arrays by facility. ``expected``: it should report, by one path or the other."""

    expected: Bools
    direct: Path
    dhis2: Path


def reports(roster: Roster, week: date) -> Reports:
    """The reports about the week that begins on this Monday."""
    h = salted(roster.keys, "idsr report", week)
    begin, end = local_midnight(week), local_midnight(week + timedelta(days=7))
    forms = np.array([form in REPORTING_FORMS for form in CLASSES])
    expected = forms[roster.form] & (roster.opened < end) & (roster.closed > begin)
    private = (roster.form == CLASSES.index("private")).astype(np.int64)
    habit = uniform(salted(roster.keys, "idsr habit")) - 0.5
    sent = expected & (uniform(salted(h, "sent")) < np.array(SENT)[private] + np.array([0.04, 0.3])[private] * habit)
    arrived = np.where(sent, _arrival(h, end, np.array(ON_TIME)[private] + 0.2 * habit), NEVER)
    by_direct, by_dhis2 = _paths(roster, h)
    direct = np.where(by_direct, arrived, NEVER)
    dhis2 = np.where(by_dhis2, np.where(sent, arrived + _entry_lag(h), NEVER), NEVER)
    return Reports(expected, *_corrections(h, direct, dhis2))


def _arrival(h: U64, end: int, on_time: F64) -> I64:
    early = uniform(salted(h, "early")) * TIMELY_DAYS
    late = np.minimum(TIMELY_DAYS - 6 * np.log1p(-uniform(salted(h, "late")) * 0.9999), 50)
    days = np.floor(np.where(uniform(salted(h, "on time")) < on_time, early, late))
    result: I64 = (end + days * DAY + (8 + 8 * uniform(salted(h, "hour"))) * HOUR).astype(np.int64)
    return result


def one_path_only(roster: Roster) -> tuple[Bools, Bools]:
    """The facilities that report by the direct path only, and those that report by DHIS2 only."""
    path = uniform(salted(roster.keys, "idsr path"))
    return path < ONLY_DIRECT, (path >= ONLY_DIRECT) & (path < ONLY_DIRECT + ONLY_DHIS2)


def _paths(roster: Roster, h: U64) -> tuple[Bools, Bools]:
    slip = uniform(salted(h, "one path"))
    only_direct, only_dhis2 = one_path_only(roster)
    both = ~only_direct & ~only_dhis2
    direct = only_direct | (both & (slip >= ONE_PATH_FAILS))
    dhis2 = only_dhis2 | (both & (slip < 1 - ONE_PATH_FAILS))
    return direct, dhis2


def _entry_lag(h: U64) -> I64:
    """From the report to its entry into DHIS2: mostly the same morning, sometimes days."""
    days = np.where(uniform(salted(h, "waits")) < 0.06, 1 + np.floor(3 * uniform(salted(h, "waits for"))), 0)
    return (days * DAY + uniform(salted(h, "entry")) * 3 * HOUR).astype(np.int64)


def _corrections(h: U64, direct: I64, dhis2: I64) -> tuple[Path, Path]:
    """Some reports are corrected within six weeks: half of these by both paths, the rest by one only."""
    after = (DAY + np.floor(uniform(salted(h, "corrected after")) ** 2 * 42) * DAY).astype(np.int64)
    corrected = uniform(salted(h, "corrected")) < CORRECTED
    where = uniform(salted(h, "corrected where"))

    def path(arrived: I64, here: Bools) -> Path:
        happens = corrected & here & (arrived != NEVER)
        return Path(arrived, np.where(happens, arrived + np.where(happens, after, 0), NEVER))

    return path(direct, where < 0.8), path(dhis2, (where < 0.5) | (where >= 0.8))


def first_told(roster: Roster, week: date, counts: Counts) -> Counts:
    """What the reports said at first. Those that somebody finds wrong had one cell in five so; the others were right."""
    h = salted(roster.keys, "idsr report", week)
    corrected = uniform(salted(h, "corrected")) < CORRECTED
    cells = cross(salted(h, "cell"), CELLS).reshape(-1, *SHAPE)
    wrong = corrected[:, None, None] & (uniform(cells) < np.where(counts.cases > 0, 0.2, 0.01))
    off = np.rint(normal(salted(cells.reshape(-1), "off").reshape(cells.shape)) * (1 + 0.3 * counts.cases)).astype(
        np.int64
    )
    cases = np.where(wrong, np.maximum(0, counts.cases + np.where(off == 0, 1, off)), counts.cases)
    return Counts(cases, np.minimum(counts.deaths, cases))


def told(path: Path, true: Counts, first: Counts, now: int) -> Counts:
    """What a path says at a moment: corrected where the correction reached it."""
    known = (path.corrected <= now)[:, None, None]
    return Counts(np.where(known, true.cases, first.cases), np.where(known, true.deaths, first.deaths))


def typed(roster: Roster, week: date, counts: Counts) -> Counts:
    """Counts as they were typed into DHIS2 from paper: one digit twice, one too many, or one off."""
    h = cross(salted(roster.keys, "idsr typed", week), CELLS).reshape(-1, *SHAPE)
    how = uniform(salted(h.reshape(-1), "how").reshape(h.shape))
    cases = counts.cases
    slipped = np.where(how < 0.3, cases * 10 + cases % 10, np.where(how < 0.6, cases * 10, cases + 1))
    wrong = (uniform(h) < TYPED_WRONG) & (cases > 0)
    return Counts(np.where(wrong, slipped, cases), counts.deaths)


def leaves_blank(roster: Roster) -> Bools:
    """Facilities that leave cells without a case blank in DHIS2."""
    result: Bools = uniform(salted(roster.keys, "idsr blank")) < LEAVES_ZEROS_BLANK
    return result
