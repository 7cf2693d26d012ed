"""The quasi-Poisson regression of Farrington flexible: fit, dispersion, weights against past outbreaks.

Does not belong here: which weeks are fitted (`farrington`), and what bound follows (`bounds`).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from hic_assets.alerts.options import Errors
from hic_assets.alerts.result import Floats

# Leverage this near 1: the observation alone decides its own expectation, and its residual says nothing.
ALONE = 1 - 1e-9


@dataclass(frozen=True)
class Fit:
    """A converged regression of n counts on p columns, log link.

    `mean` (n) is in cases a week; `dispersion` is never below 1; `error_scale` multiplies the variances of
    coefficients; `triangle` (p, p) is the R of the QR decomposition of the weighted columns.
    """

    coefficients: Floats
    mean: Floats
    leverage: Floats
    triangle: Floats
    dispersion: float
    error_scale: float
    freedom: int

    def predict(self, row: Floats) -> tuple[float, float]:
        """Logarithm of the expected count at a row (p) of columns, and its standard error."""
        spread = np.linalg.solve(self.triangle.T, row)
        return float(row @ self.coefficients), float(np.sqrt(self.error_scale * (spread @ spread)))


def fit_counts(counts: Floats, columns: Floats, threshold: float | None, errors: Errors) -> Fit | None:
    """Quasi-Poisson fit of counts (n, cases a week) on columns (n, p), refitted with weights against outbreaks.

    A week whose standardized Anscombe residual s is above `threshold` gets a weight proportional to 1 / s^2, the
    others equal ones, all together n (Noufaily et al. 2013; None: no refit). The dispersion is Pearson's
    X2 / (n - p), at least 1.

    errors="published" scales standard errors by that dispersion (unbounded), as Farrington et al. (1996, J. R.
    Statist. Soc. A 159:547-563) do. errors="surveillance" gives R's numbers, which differ twice. After weighting,
    the package stores the weights where R looks for weight times mean, so that its errors come from relative
    residuals, sum w ((y - m) / m)^2 / (n - p): against the published form, errors are too small where counts are
    above about one a week, so that nearly every trend is significant, and too large below. And R takes the variance
    in X2 from the round before the last: a difference in the fifth digit.

    Gives None where nothing can be said: too few weeks for the columns, columns that do not determine the
    coefficients, or no convergence of the first fit.
    """
    if len(counts) <= columns.shape[1] or np.linalg.matrix_rank(columns) < columns.shape[1]:
        return None
    first = _fit(counts, columns, np.ones_like(counts), errors, reweighted=False)
    if first is None or threshold is None:
        return first
    weights = outbreak_weights(anscombe_residuals(counts, first), threshold)
    # R takes the second fit as it is: it nearly always converges, and its bound is better than none.
    return _fit(counts, columns, weights, errors, reweighted=True)


def anscombe_residuals(counts: Floats, fit: Fit) -> Floats:
    """Standardized Anscombe residuals (n), unitless (Farrington et al. 1996); 0 where leverage is 1."""
    raw = 1.5 * (counts ** (2 / 3) * fit.mean ** (-1 / 6) - fit.mean**0.5)
    scale = np.sqrt(fit.dispersion * np.maximum(1 - fit.leverage, 1 - ALONE))
    residuals: Floats = np.where(fit.leverage > ALONE, 0.0, raw / scale)
    return residuals


def outbreak_weights(residuals: Floats, threshold: float) -> Floats:
    """Weights (n) that sum to n: 1 / s^2 above the threshold, 1 elsewhere, times a constant (Noufaily et al. 2013)."""
    raw: Floats = np.ones(len(residuals))
    high = residuals > threshold
    raw[high] = residuals[high] ** -2.0
    raw *= len(raw) / raw.sum()
    return raw


def _fit(counts: Floats, columns: Floats, weights: Floats, errors: Errors, *, reweighted: bool) -> Fit | None:
    """One regression; None if it is degenerate, or is the first one and does not converge."""
    # Imported here: statsmodels takes about two seconds, which not every start of a code location should pay.
    from statsmodels.genmod import families  # type: ignore[import-untyped]
    from statsmodels.genmod.generalized_linear_model import GLM  # type: ignore[import-untyped]

    family = families.Poisson()
    # R's start, and below its stopping rule (1e-8 of the deviance, 25 rounds). Where a season never had a case the
    # estimate goes to minus infinity, and start and stop are what decides how far.
    family.starting_mu = lambda y: y + 0.1
    with warnings.catch_warnings():
        # "Perfect prediction" is what a series of zeros is.
        warnings.simplefilter("ignore")
        model = GLM(counts, columns, family=family, var_weights=weights)
        try:
            result = model.fit(maxiter=25, atol=1e-9, rtol=1e-8, tol_criterion="deviance", scale=None)
        except (ValueError, np.linalg.LinAlgError):
            return None
    if not (reweighted or result.converged):
        return None
    mean: Floats = np.asarray(result.mu)
    orthogonal, triangle = np.linalg.qr(np.sqrt(model.weights)[:, None] * columns)
    if not np.all(np.isfinite(mean)) or np.any(np.diag(triangle) == 0):
        return None
    dispersion, error_scale = _scales(counts, mean, weights, model.weights, errors, reweighted=reweighted)
    freedom = len(counts) - columns.shape[1]
    return Fit(
        coefficients=np.asarray(result.params),
        mean=mean,
        leverage=np.sum(orthogonal**2, axis=1),
        triangle=triangle,
        dispersion=max(dispersion / freedom, 1.0),
        error_scale=error_scale / freedom,
        freedom=freedom,
    )


def _scales(
    counts: Floats, mean: Floats, weights: Floats, working: Floats, errors: Errors, *, reweighted: bool
) -> tuple[float, float]:
    """Sums of squares of the dispersion and of the error scale; `working` is weight times mean of the last round."""
    relative = (counts / mean - 1) ** 2
    if errors == "published":
        pearson = float(np.sum(weights * mean * relative))
        return pearson, pearson
    pearson = float(np.sum(working * relative))
    return pearson, float(np.sum(weights * relative)) if reweighted else pearson
