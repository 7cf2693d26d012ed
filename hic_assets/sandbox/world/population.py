"""Yearly population estimates: catchment populations of health centres and projections of districts.

Belongs here: the values of the yearly data set. Source: domain 3.1 (target population ratios) and trap 15 (the
estimates up to 2022 rest on the 2012 census, so there is a step).
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from hic_assets.sandbox.world import catalogue, geography
from hic_assets.sandbox.world.hashing import key, normal, salted, uniform
from hic_assets.sandbox.world.memo import Memo
from hic_assets.sandbox.world.reporting import DAY, HOUR
from hic_assets.sandbox.world.roster import I64, Roster, fingerprint, local_midnight
from hic_assets.sandbox.world.values import SCHEMA, timestamps


def _growth(year: int) -> float:
    growth: float = 1.023 ** (year - 2022)
    return growth * (0.955 if year <= 2022 else 1.0)


_YEARS: Memo[pl.DataFrame] = Memo(most=200_000, size=lambda frame: frame.height)


def year_values(roster: Roster, district_uids: dict[str, str], year: int, now: int) -> pl.DataFrame:
    """Values of the yearly data set known at ``now``: ``roster`` catchments and ``district_uids`` (code -> uid).

    Columns as ``values.SCHEMA``; period is ``YYYY``.
    """
    asked = (fingerprint(roster), tuple(district_uids.items()), year)
    return _YEARS.get(asked, lambda: _year_values(roster, district_uids, year)).filter(pl.col("_ts") <= now)


def _year_values(roster: Roster, district_uids: dict[str, str], year: int) -> pl.DataFrame:
    frames = []
    has = np.nonzero(roster.catchment > 0)[0]
    people: dict[str, float] = {}
    for uid_, catchment in zip(roster.district, roster.catchment, strict=True):
        people[uid_] = people.get(uid_, 0.0) + float(catchment)
    moments = _moments(roster.keys[has], year)
    for element in catalogue.data_elements():
        if element.kind == "population_facility" and len(has):
            jitter = 1 + 0.02 * normal(salted(roster.keys[has], "population", year, element.code))
            amount = roster.catchment[has] * _growth(year) * element.annual * jitter
            frames.append(
                _frame(element.uid, roster.uids[has].tolist(), year, amount.round().astype(np.int64), moments)
            )
        elif element.kind == "population_district" and district_uids:
            codes = [code for code in district_uids if people.get(code)]
            drift = {code: 1 + 0.04 * float(normal(np.array([key("projection", code)]))[0]) for code in codes}
            total = [people[code] * drift[code] * _growth(year) * element.annual for code in codes]
            at = np.full(len(codes), local_midnight(date(year, 1, 10)) + 9 * HOUR)
            uids = [district_uids[code] for code in codes]
            frames.append(_frame(element.uid, uids, year, np.round(total).astype(np.int64), at))
    return pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)


def _moments(hashes: np.ndarray, year: int) -> I64:  # type: ignore[type-arg]
    days = np.floor(5 + 40 * uniform(salted(hashes, "yearly", year)))
    result: I64 = (local_midnight(date(year, 1, 1)) + days * DAY + 10 * HOUR).astype(np.int64)
    return result


def _frame(element: str, org_units: list[str], year: int, amount: I64, moments: I64) -> pl.DataFrame:
    stamp = timestamps(moments)
    return pl.DataFrame(
        {
            "data_element": [element] * len(org_units),
            "period": [str(year)] * len(org_units),
            "org_unit": org_units,
            "category_option_combo": [catalogue.DEFAULT_COMBO] * len(org_units),
            "attribute_option_combo": [catalogue.DEFAULT_COMBO] * len(org_units),
            "value": pl.Series(amount).cast(pl.String),
            "stored_by": ["statistics"] * len(org_units),
            "last_updated": stamp,
            "comment": pl.Series([None] * len(org_units), dtype=pl.String),
            "follow_up": ["false"] * len(org_units),
            "deleted": pl.Series([None] * len(org_units), dtype=pl.String),
            "created": stamp,
            "_ts": pl.Series(moments, dtype=pl.Int64),
        },
        schema=SCHEMA,
    )


def districts_by_code() -> dict[str, str]:
    """Three-digit district code -> organisation unit uid."""
    return {u.code[1:]: u.uid for u in geography.tree() if u.level == 3}
