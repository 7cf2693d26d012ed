"""The formulas of data quality in plain Python, a series at a time: what the SQL is held to.

Belongs here: the methods as docs/data-quality.md states them, written without looking at the SQL. A month is a whole number
(0 is the first), a series a list of counts with None for a month without one. `published` follows the published code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

Counts = Sequence[float | None]


@dataclass(frozen=True)
class Judged:
    """A month of a series by FASTR module 1."""

    flag: int
    residual: float | None
    share: float | None
    outlier: bool | None
    outlier_published: bool | None


def completeness(counts: Counts) -> list[int]:
    """1 reported, 0 missing, 2 in a run of six or more at an end of the series."""
    there = [month for month, count in enumerate(counts) if count is not None]
    lead, tail = there[0], len(counts) - 1 - there[-1]
    flags = [0 if count is None else 1 for count in counts]
    if lead >= 6:
        flags[:lead] = [2] * lead
    if tail >= 6:
        flags[len(counts) - tail :] = [2] * tail
    return flags


def judge(counts: Counts) -> list[Judged]:
    """FASTR module 1 of one facility and indicator."""
    known = [count for count in counts if count is not None]
    middle = median(known)
    upper = [count for count in known if count >= middle]
    mad = 1.4826 * median([abs(count - median(upper)) for count in upper])
    judged = []
    for month, (count, flag) in enumerate(zip(counts, completeness(counts), strict=True)):
        if count is None:
            judged.append(Judged(flag, None, None, None, None))
            continue
        year = [c for c in counts[max(0, month - 11) : month + 1] if c is not None]
        residual = abs(count - middle) / mad if mad else None
        share = count / sum(year) if sum(year) else None
        far = residual is not None and residual > 10
        most = share is not None and share > 0.8
        big = count > 100
        judged.append(Judged(flag, residual, share, big and (far or (most and len(year) >= 6)), big and (far or most)))
    return judged


def replacements(valid: Counts, month: int, *, published: bool = False) -> dict[str, float | None]:
    """What a month of a series (its own place None) may be replaced by."""

    def mean_of(first: int, last: int) -> float | None:
        if first < 0 or last >= len(valid):
            return None
        there = [count for count in valid[first : last + 1] if count is not None]
        return fmean(there) if there else None

    everything = [count for count in valid if count is not None]
    return {
        "centred": mean_of(month - 2 if published else month - 3, month + 3),
        "forward": mean_of(month, month + 5),
        "backward": mean_of(month - 5, month),
        "last_year": valid[month - 12] if month >= 12 else None,
        "overall": fmean(everything) if everything else None,
    }


def first_of(found: dict[str, float | None]) -> tuple[str | None, float | None]:
    """The first replacement there is, and its name."""
    return next(((name, value) for name, value in found.items() if value is not None), (None, None))


@dataclass(frozen=True)
class Adjusted:
    """A month of a series by FASTR module 2."""

    none: float | None
    outliers: float | None
    completeness: float | None
    both: float | None
    outlier_by: str | None = None
    missing_by: str | None = None


def adjust(counts: Counts, outliers: Sequence[bool], *, adjustable: bool, published: bool = False) -> list[Adjusted]:
    """FASTR module 2 of one series without its inactive months."""
    if not adjustable:
        return [Adjusted(count, count, count, count) for count in counts]
    valid = [None if odd else count for count, odd in zip(counts, outliers, strict=True)]
    steps = [
        first_of(replacements(valid, month, published=published)) if odd else (None, counts[month])
        for month, odd in enumerate(outliers)
    ]
    without_outliers = [value for _, value in steps]

    def filled(series: Counts, month: int) -> tuple[str | None, float | None]:
        found = replacements(series, month, published=published)
        return first_of({name: value for name, value in found.items() if name != "last_year"})

    adjusted = []
    for month, count in enumerate(counts):
        by, value = filled(valid, month) if count is None else (None, count)
        both = filled(without_outliers, month)[1] if count is None else without_outliers[month]
        adjusted.append(Adjusted(count, without_outliers[month], value, both, steps[month][0], by))
    return adjusted


def who_scores(counts: Sequence[float]) -> list[tuple[float | None, float | None]]:
    """z and modified z of the counts of one unit, indicator and year."""
    centre, middle = fmean(counts), median(counts)
    spread = stdev(counts) if len(counts) > 1 else 0.0
    distances = [abs(count - middle) for count in counts]
    scale = 1.486 * median(distances) or 1.253314 * fmean(distances)
    return [((c - centre) / spread if spread else None, (c - middle) / scale if scale else None) for c in counts]


@dataclass(frozen=True)
class Rates:
    """Parameters of the coverage chains."""

    loss: float
    twin: float
    still: float
    nmr: float
    pnmr: float
    imr: float
    u5mr: float


def people(chain: str, reached: float, rates: Rates, *, published: bool = False) -> dict[str, float]:
    """FASTR module 4: the people to reach by a chain, from its volume over the survey's coverage."""
    twins = 1 - rates.twin / 2
    if chain == "anc1":
        pregnancy = reached
        live = pregnancy * (1 - rates.loss) / twins * (1 - rates.still)
        dpt = live * (1 - rates.nmr)
    elif chain == "penta1":
        dpt = reached
        live = dpt / (1 - rates.nmr)
        pregnancy = live / (1 - rates.still) * twins / (1 - rates.loss)
    else:
        live = reached
        pregnancy = live * twins / ((1 - rates.still) * (1 - rates.loss))
        if chain == "bcg" and published:
            pregnancy = live / (1 - rates.loss) / (1 + rates.twin) / (1 - rates.still)
        dpt = live * (1 - rates.nmr)
    return {
        "pregnancy": pregnancy,
        "livebirth": live,
        "dpt": dpt,
        "measles1": dpt * (1 - rates.pnmr),
        "measles2": dpt * (1 - 2 * rates.pnmr),
        "vitaminA": live * (1 - rates.u5mr) * 4.5,
        "fully_immunized": live * (1 - rates.imr),
    }


def projected_people(
    live: float, infants: float, share: float, rates: Rates, *, published: bool = False
) -> dict[str, float]:
    """The same by a projection of live births and infants of a whole year."""
    live, infants = live * share, infants * share
    found = people("livebirth", live, rates) | {
        "dpt": infants,
        "measles1": infants * (1 - rates.pnmr),
        "measles2": infants * (1 - 2 * rates.pnmr),
    }
    if published:
        first = infants * (1 - rates.nmr / 100)
        found |= {
            "pregnancy": live / (1 + rates.twin),
            "measles1": first,
            "measles2": first * (1 - 2 * rates.pnmr / 100),
        }
    return found
