"""The regressions of FASTR module 3: what counts would have been, had no month been disrupted.

Belongs here: the regressions of one place and indicator. Does not: which months are disrupted (`tags`).

Rows are of a district and month of the place, without NaN; districts are numbers from 0. Each district has a level of its
own (published: one for all, so that a month without a large district looks like a fall).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hic_assets.disruption.design import SEASON_FROM, Bools, Floats, Months, design

Districts = NDArray[np.int64]


def undisrupted(months: Months, districts: Districts, counts: Floats, disrupted: Bools) -> Floats | None:
    """Expected counts, a number a row: trend and season of the months that are not disrupted, carried to those that are.

    None where these do not say it, as when a calendar month is disrupted each year, or a district in all months.
    """
    kept = ~disrupted
    levels = (districts[:, None] == np.arange(districts.max() + 1)[None, :]).astype(np.float64)
    # The districts' levels are in place of the constant.
    columns = np.column_stack([levels, _columns(months)[:, 1:]])
    if kept.sum() <= columns.shape[1] or np.linalg.matrix_rank(columns[kept]) < columns.shape[1]:
        return None
    coefficients, *_ = np.linalg.lstsq(columns[kept], counts[kept], rcond=None)
    expected: Floats = np.maximum(0.0, columns @ coefficients)
    return expected


@dataclass(frozen=True)
class Tagged:
    """The regression with the tag. ``expected``: counts without it, a number a row. ``p``: two-sided, of its coefficient;
    None where it has no error.
    """

    expected: Floats
    p: float | None


def with_tag(months: Months, districts: Districts, counts: Floats, tagged: Bools) -> Tagged | None:
    """The published regression: all tagged months share one coefficient. None where nothing is tagged, or it cannot be told
    from trend and season.

    Errors are clustered on districts where there are several, with one degree of freedom less than districts (published:
    those of the rows).
    """
    # Imported here for the time it takes, as in `chart`.
    from statsmodels.regression.linear_model import OLS  # type: ignore[import-untyped]

    columns = _without_levels(np.column_stack([_columns(months), tagged]), districts)
    if len(counts) <= columns.shape[1] or np.linalg.matrix_rank(columns) < columns.shape[1]:
        return None
    clustered = {"cov_type": "cluster", "cov_kwds": {"groups": districts}} if districts.max() > 0 else {}
    fit = OLS(_without_levels(counts[:, None], districts)[:, 0], columns).fit(use_t=True, **clustered)
    # The residual is the same with the districts' levels and without.
    expected = np.maximum(0.0, counts - np.asarray(fit.resid) - fit.params[-1] * tagged)
    p = float(fit.pvalues[-1])
    return Tagged(expected, p if np.isfinite(p) else None)


def share_of_expected(counts: Floats, expected: Floats, tagged: Bools) -> float | None:
    """What the tagged rows have more (+) or less (-) than expected, as a share of it: FASTR's b."""
    usual = float(expected[tagged].sum())
    return float(counts[tagged].sum()) / usual - 1 if usual > 0 else None


def _columns(months: Months) -> Floats:
    return design(months, season=len(np.unique(months)) >= SEASON_FROM)


def _without_levels(columns: Floats, districts: Districts) -> Floats:
    """Each column less the mean of its district, plus the mean of all: the constant stays what it is."""
    rows = np.bincount(districts)
    means = np.column_stack([np.bincount(districts, weights=column) / rows for column in columns.T])
    within: Floats = columns - means[districts] + columns.mean(axis=0)
    return within
