"""Which months of a control chart are disrupted, and by which rule. Does not belong here: the chart (`chart`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hic_assets.disruption.chart import Chart
from hic_assets.disruption.design import Bools, Floats

SHARP, MILD = 1.5, 1.0
"""Spreads off the expectation."""
DIP, RISE = 0.90, 1 / 0.90
"""Shares of the expectation."""
IN_A_ROW = 3
MATERIAL = 0.10
"""Share of the expectation."""
MISSING = 2
"""Months of the last three without a count, or with 0."""
_PUBLISHED_LAST = 7


@dataclass(frozen=True)
class Tags:
    """Of each month, whether a rule says that it is disrupted."""

    sharp: Bools
    """1.5 spreads and more off."""
    sustained: Bools
    """In three months in a row, one spread and more off, on the same side.

    Published: three mild months (less than 1.5) of the last three, and this one sharp (1.5 or more): that is never so.
    """
    dip: Bools
    """In three months in a row below 90 %, or without a count."""
    rise: Bools
    """In three months in a row above 1 / 90 %."""
    missing: Bools
    """Two of the three months that end with it without a count, or with 0."""

    @property
    def any(self) -> Bools:
        """Whether any rule says so."""
        return self.sharp | self.sustained | self.dip | self.rise | self.missing

    @property
    def published(self) -> Bools:
        """What is published as disrupted, of the published chart: not ``sustained``, and always the last seven months."""
        tagged = self.sharp | self.dip | self.rise | self.missing
        tagged[-_PUBLISHED_LAST:] = True
        return tagged


def tags(counts: Floats, chart: Chart) -> Tags:
    """The tags of one series: counts (NaN where there is none) and their chart, consecutive months."""
    silent = np.isnan(counts)
    # NaN is neither above nor below anything.
    control, usual = chart.control, chart.usual
    return Tags(
        sharp=np.abs(control) >= SHARP,
        sustained=in_a_row(control >= MILD) | in_a_row(control <= -MILD),
        dip=in_a_row(silent | (counts < DIP * usual)),
        rise=in_a_row(counts > RISE * usual),
        missing=_missing(silent | (counts == 0)),
    )


def disrupted(counts: Floats, chart: Chart, tagged: Bools) -> Bools:
    """Tagged months that are more than a tenth off as well.

    Of a calm series some three months in ten are 1.5 spreads off, a spread being two thirds of a standard deviation: the tag
    by itself says little. Published, all of them share one coefficient, in which a true fall is lost among them.
    """
    return tagged & (np.abs(counts - chart.usual) > MATERIAL * chart.usual)


def in_a_row(flags: Bools) -> Bools:
    """Those of the flags that stand in a run of three or more."""
    found = np.zeros_like(flags)
    if len(flags) < IN_A_ROW:
        return found
    runs: Bools = np.logical_and.reduce(np.lib.stride_tricks.sliding_window_view(flags, IN_A_ROW), axis=1)
    for shift in range(IN_A_ROW):
        found[shift : shift + len(runs)] |= runs
    return found


def _missing(silent: Bools) -> Bools:
    """Of the first two months there are no three to look at."""
    found = np.zeros_like(silent)
    if len(silent) >= IN_A_ROW:
        windows = np.lib.stride_tricks.sliding_window_view(silent, IN_A_ROW)
        found[IN_A_ROW - 1 :] = windows.sum(axis=1) >= MISSING
    return found
