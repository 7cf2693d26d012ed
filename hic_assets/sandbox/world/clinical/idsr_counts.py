"""Cases and deaths of notifiable diseases as they really are: a week's counts by facility, disease and age band.

Belongs here: the truth that both paths report. Does not belong here: who reports it, when and how wrongly
(``idsr_reports``), who the cases are (``idsr_cases``). Source: domain facts 2.4, traps 19, 22; rates in ``idsr_diseases``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical.idsr_diseases import BANDS, DISEASES, SEEN, position
from hic_assets.sandbox.world.clinical.idsr_outbreaks import WEEKS_A_YEAR, Outbreak, heaviness, outbreaks
from hic_assets.sandbox.world.facilities import CLASSES
from hic_assets.sandbox.world.hashing import F64, cross, keys, normal, salted, uniform
from hic_assets.sandbox.world.roster import I64, Roster, local_midnight, nominal_weight
from hic_assets.sandbox.world.sheets import LOW_MALARIA, SEASONS

CELLS = keys("idsr", [f"{d.code} {band}" for d in DISEASES for band, _ in BANDS])
KINDS = keys("idsr", [d.code for d in DISEASES])
SHAPE = (len(DISEASES), len(BANDS))
MID_MONTHS = 15.2 + 30.44 * np.arange(12)


@dataclass(frozen=True)
class Country:
    """What a country was made of: its outbreaks, and how much more it sees than its scale says, depend on it."""

    seed: int
    scale: float


@dataclass(frozen=True)
class Counts:
    """Cases and the deaths among them, each of shape (facilities, diseases, age bands)."""

    cases: I64
    deaths: I64


def poisson(u: F64, mean: F64) -> I64:
    """Poisson counts of these means at these quantiles (``u`` in [0, 1))."""
    from scipy import special  # type: ignore[import-untyped]  # here, since it takes a while and not every sandbox needs it

    result: I64 = np.zeros(np.shape(mean), dtype=np.int64)
    # most cells are of rare diseases, and so are zero
    some = u > np.exp(-mean)
    u, mean = u[some], mean[some]
    found = np.maximum(np.ceil(special.pdtrik(u, mean)), 1)
    result[some] = np.where(special.pdtr(found - 1, mean) >= u, found - 1, found).astype(np.int64)
    return result


def week_counts(
    roster: Roster, week: date, country: Country, of_life: Mapping[str, pl.DataFrame] | None = None
) -> Counts:
    """What happened in the week that begins on this Monday; nothing where a facility is closed.

    ``roster``: of the whole country, since an outbreak is dealt among all facilities of its district.
    ``of_life``: by disease, a row a case that is an event of ``Life`` (``facility``
    uid, ``band``), in place of cases by rate; None for weeks before there is one.
    """
    mean = expected(roster, week, country)[:, :, None] * _bands()[None, :, :]
    draws = uniform(cross(salted(roster.keys, "idsr", week), CELLS)).reshape(-1, *SHAPE)
    cases = poisson(draws, mean) + _outbreak_cases(roster, week, country)
    if of_life is not None:
        for disease in DISEASES:
            if disease.of_life:
                cases[:, position(disease.code), :] = _events(roster, of_life.get(disease.code))
    cases[_closed(roster, week)] = 0
    fatality = np.array([d.fatality for d in DISEASES])
    fate = uniform(cross(salted(roster.keys, "idsr deaths", week), CELLS)).reshape(-1, *SHAPE)
    deaths = np.where(fatality >= 1, cases, np.minimum(cases, poisson(fate, cases * fatality)))
    return Counts(cases, deaths)


def expected(roster: Roster, week: date, country: Country) -> F64:
    """Mean cases of every facility and disease in a week, outbreaks apart."""
    season, growth = _season(week), np.array([d.growth for d in DISEASES]) ** ((week - date(2024, 7, 1)).days / 365.25)
    rate = _rates_in(country)[roster.form] * (season * growth)[None, :] * roster.weight[:, None]
    low = np.isin(roster.district.astype(str), sorted(LOW_MALARIA))
    malaria = np.array([d.malaria for d in DISEASES])
    rate *= np.where(malaria[None, :], np.where(low, 0.32, 1.35)[:, None], 1.0)
    lasting = 0.3 * normal(cross(salted(roster.keys, "idsr level"), KINDS)) - 0.045
    moving = 0.1 * normal(cross(salted(roster.keys, "idsr moves", week), KINDS)) - 0.005
    shared = 0.08 * normal(cross(keys(("idsr district", week), roster.district.tolist()), KINDS)) - 0.0032
    result: F64 = rate * np.exp(lasting + moving + shared)
    return result


@cache
def _rates() -> F64:
    """Cases a week of a facility of weight 1, by group of forms and disease."""
    rates = np.zeros((len(CLASSES), len(DISEASES)))
    for at, disease in enumerate(DISEASES):
        for form, share in SEEN[disease.seen].items():
            rates[CLASSES.index(form), at] = disease.annual / WEEKS_A_YEAR * share / nominal_weight(form)
    return rates


def _rates_in(country: Country) -> F64:
    """The same in a country: what is of ``Life`` happens as often as its scale says, however many see it."""
    of_life = np.array([d.of_life for d in DISEASES])
    heavy = heaviness(country.seed, country.scale)[:, None]
    return np.where(of_life[None, :], _rates() / np.maximum(heavy, 1e-9), _rates())


def _bands() -> F64:
    young = np.array([d.under_five for d in DISEASES])
    return np.stack([young, 1 - young], axis=1)


def _season(week: date) -> F64:
    """The season of each disease in the middle of a week, between the middles of months."""
    day = (week + timedelta(days=3)).timetuple().tm_yday
    return np.array([np.interp(day, MID_MONTHS, SEASONS[d.season], period=365.25) for d in DISEASES])


def _closed(roster: Roster, week: date) -> np.ndarray:  # type: ignore[type-arg]
    begin, end = local_midnight(week), local_midnight(week + timedelta(days=7))
    closed: np.ndarray = (roster.opened >= end) | (roster.closed <= begin)  # type: ignore[type-arg]
    return closed


def _outbreak_cases(roster: Roster, week: date, country: Country) -> I64:
    cases = np.zeros((len(roster), *SHAPE), dtype=np.int64)
    for outbreak in outbreaks(country.seed, country.scale):
        at = (week - outbreak.first_week).days // 7
        inside = np.nonzero(
            (roster.district == outbreak.district) & (_rates()[roster.form, position(outbreak.disease)] > 0)
        )[0]
        if 0 <= at < outbreak.weeks and len(inside):
            disease = position(outbreak.disease)
            part = outbreak.size * outbreak.curve()[at] * _struck(roster, inside, outbreak)
            mean = part[:, None] * _bands()[disease][None, :]
            h = salted(roster.keys[inside], "outbreak", outbreak.disease, outbreak.first_week, week)
            cases[inside, disease] += poisson(uniform(cross(h, keys("band", [b for b, _ in BANDS]))), mean)
    return cases


def _struck(roster: Roster, inside: I64, outbreak: Outbreak) -> F64:
    """The part of an outbreak that each facility of its district sees; a few see most of it."""
    h = salted(roster.keys[inside], "struck", outbreak.disease, outbreak.first_week)
    centre = roster.form[inside] == CLASSES.index("centre")
    weight = np.where(centre, 1.0, 0.5) * uniform(h) ** 2 + 1e-9
    part: F64 = weight / weight.sum()
    return part


def _events(roster: Roster, frame: pl.DataFrame | None) -> I64:
    counted = np.zeros((len(roster), len(BANDS)), dtype=np.int64)
    if frame is not None and frame.height:
        at = {uid: i for i, uid in enumerate(roster.uids)}
        for facility, band in frame.select("facility", "band").iter_rows():
            if facility in at:
                counted[at[facility], band] += 1
    return counted
