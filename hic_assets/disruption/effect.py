"""The disruption regression of FASTR module 3: what the counts would have been, had no month been disrupted.

Belongs here: the regression of one place and indicator. Does not: which months are disrupted (`tags`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hic_assets.disruption.design import SEASON_FROM, Bools, Floats, Months, design


@dataclass(frozen=True)
class Effect:
    """``expected``: counts without disruption, a number a row. ``b``: what the tagged months have more (+) or less (-)
    than was expected of them, as a share of it; ``p``: of the coefficient of the tag. Both None where nothing is tagged.
    """

    expected: Floats
    b: float | None
    p: float | None


def effect(months: Months, districts: NDArray[np.int64], counts: Floats, tagged: Bools) -> Effect | None:
    """Regresses counts on trend, season and tag; None where the data cannot tell these apart, as with all months tagged.

    One row a district and month of a place, without NaN; districts are numbers from 0. Each district has a level of its
    own (published: one for all, so that a month without a large district looks like a fall). Errors are clustered on
    districts where there are several, with one degree of freedom less than districts (published: those of the rows).
    """
    # Imported here for the time it takes, as in `chart`.
    from statsmodels.regression.linear_model import OLS  # type: ignore[import-untyped]

    columns = design(months, season=len(np.unique(months)) >= SEASON_FROM)
    if tagged.any():
        columns = np.column_stack([columns, tagged.astype(np.float64)])
    inside = _without_levels(columns, districts)
    if len(counts) <= inside.shape[1] or np.linalg.matrix_rank(inside) < inside.shape[1]:
        return None
    clustered = {"cov_type": "cluster", "cov_kwds": {"groups": districts}} if districts.max() > 0 else {}
    fit = OLS(_without_levels(counts[:, None], districts)[:, 0], inside).fit(use_t=True, **clustered)
    # The residual is the same with the districts' levels and without.
    without = counts - np.asarray(fit.resid) - (fit.params[-1] * tagged if tagged.any() else 0.0)
    expected = np.maximum(0.0, without)
    if not tagged.any():
        return Effect(expected, None, None)
    usual, p = float(expected[tagged].sum()), float(fit.pvalues[-1])
    b = (float(counts[tagged].sum()) - usual) / usual if usual > 0 else None
    return Effect(expected, b, p if np.isfinite(p) else None)


def _without_levels(columns: Floats, districts: NDArray[np.int64]) -> Floats:
    """Each column less the mean of its district, plus the mean of all: the constant stays what it is."""
    rows = np.bincount(districts)
    means = np.column_stack([np.bincount(districts, weights=column) / rows for column in columns.T])
    within: Floats = columns - means[districts] + columns.mean(axis=0)
    return within
