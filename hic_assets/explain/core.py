"""A value of the catalogue: what the marts say of it, and the measures that it is added up from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from hic_assets.explain.check import added
from hic_assets.explain.model import SIDES, Asked, Cell, Indicator, NoValue, Part, Unit
from hic_assets.explain.resolve import REPORTED
from hic_assets.explain.rights import PARTS, Rights

_ABOUT = "select * from dwh.dim_core_indicator where indicator_code = %(code)s"
_ROW = """
select * from reporting.rpt_core_indicators
where indicator_code = %(code)s and org_unit_uid = %(unit)s and period_type = %(type)s and period = %(period)s
"""
_PERIODS = """
select distinct period_type, period from reporting.rpt_core_indicators
where indicator_code = %(code)s and org_unit_uid = %(unit)s order by 1, 2
"""
# Loaded months: those of the country, as the report has them.
_MONTHS = """
select distinct p.period_start, p.days_in_month from dwh.dim_period p
where p.period_start between %(start)s and %(end)s
    and p.period_start in (select period_start from dwh.fct_core_indicator where level = 'country')
order by 1
"""
_SIDES = """
select period_start, numerator, denominator, expected_reports, received_reports from dwh.fct_core_indicator
where indicator_code = %(code)s and org_unit_uid = %(unit)s and period_start between %(start)s and %(end)s
order by period_start
"""
_TERMS = """
select t.side, t.measure_code, t.weight::double precision as weight, t.times, m.name, m.kind, m.unit, m.share_of
from staging.indicator_measure t join staging.measure m using (measure_code)
where t.indicator_code = %(code)s order by t.side desc, t.weight desc, t.measure_code
"""
_MEASURED = """
select measure_code, period_start, value, is_estimated from dwh.fct_measure_month
where measure_code = any(%(measures)s) and org_unit_uid = %(unit)s and period_start = any(%(months)s)
"""
_SHOWN = """
select org_unit_uid from reporting.rpt_core_indicators
where indicator_code = %(code)s and level = 'facility' and period_type = %(type)s and period = %(period)s
    and not is_suppressed
"""
Rows = list[dict[str, Any]]


def core_cell(connection: Connection[Any], rights: Rights, indicator: Indicator, unit: Unit, asked: Asked) -> Cell:
    """The value of an indicator of the catalogue, with its parts as far as the asker may read them.

    Raises:
        NoValue: there is none.
    """
    keys = {"code": indicator.key, "unit": unit.uid, "type": asked.type, "period": asked.label}
    span = {"start": asked.start, "end": asked.end}
    about = _rows(connection, _ABOUT, **keys)[0]
    found = _rows(connection, _ROW, **keys)
    if not found:
        raise NoValue(_why_not(about, unit, asked, _rows(connection, _PERIODS, **keys)))
    row = found[0]
    months = {r["period_start"]: r["days_in_month"] for r in _rows(connection, _MONTHS, **span)}
    by_month = _rows(connection, _SIDES, **keys, **span)
    cell = Cell(
        indicator,
        unit,
        asked,
        [r["period_start"] for r in by_month],
        {**row, **_reports(by_month)},
        _sides(about, by_month, max(months)),
        is_kept_back=row["is_suppressed"],
        is_sensitive=about["is_sensitive"],
        about=about,
    )
    if rights.may(PARTS):
        _add_parts(connection, cell, months)
    return cell


def shown_facilities(connection: Connection[Any], cell: Cell) -> set[str]:
    """Facilities whose own value of this indicator and period the report shows."""
    keys = {"code": cell.indicator.key, "type": cell.asked.type, "period": cell.asked.label}
    return {row["org_unit_uid"] for row in _rows(connection, _SHOWN, **keys)}


def _reports(by_month: Rows) -> dict[str, float | None]:
    """Reports behind, over the months of the period."""
    names = ("expected_reports", "received_reports")
    return {n: added([r[n] for r in by_month if r[n] is not None]) for n in names}


def _sides(about: Mapping[str, Any], by_month: Rows, last: date) -> dict[str, float | None]:
    """Both sides as the fact has them: over the months, or of the last that is loaded."""
    return {
        side: added(
            [
                r[side]
                for r in by_month
                if r[side] is not None and (not about[f"{side}_takes_last"] or r["period_start"] == last)
            ]
        )
        for side in SIDES
    }


def _add_parts(connection: Connection[Any], cell: Cell, months: Mapping[date, int]) -> None:
    terms = _rows(connection, _TERMS, code=cell.indicator.key)
    parts = [_part(number, term, cell.about, months) for number, term in enumerate(terms)]
    wanted = {"measures": [p.key for p in parts], "unit": cell.unit.uid, "months": list(months)}
    held = {(r["measure_code"], r["period_start"]): r["value"] for r in _rows(connection, _MEASURED, **wanted)}
    cell.parts = parts
    cell.by_month = {(p.number, m): held[p.key, m] for p in parts for m in p.weights if (p.key, m) in held}
    cell.made = {side: _made(cell, side) for side in SIDES}


def _made(cell: Cell, side: str) -> float | None:
    """A side as its measures add up to it."""
    return added(
        [
            cell.by_month[part.number, month] * weight
            for part in cell.of_side(side)
            for month, weight in part.weights.items()
            if (part.number, month) in cell.by_month
        ]
    )


def _part(number: int, term: Mapping[str, Any], about: Mapping[str, Any], months: Mapping[date, int]) -> Part:
    """A measure of a side with the months that count: of what is there at a time, the last."""
    yearly = term["kind"] == "population" and about["is_annualised"]
    counted = [max(months)] if about[f"{term['side']}_takes_last"] else list(months)
    weights = {
        month: term["weight"] * (months[month] if term["times"] == "days" else 1) / (12 if yearly else 1)
        for month in counted
    }
    said = [f"{term['kind']}, {term['unit']}"]
    said += ["times the days of the month"] if term["times"] == "days" else []
    said += ["a twelfth of the year's a month"] if yearly else []
    return Part(
        number, term["side"], term["measure_code"], term["name"], weights, detail="; ".join(said), sign=term["weight"]
    )


def _why_not(about: Mapping[str, Any], unit: Unit, asked: Asked, periods: Sequence[Mapping[str, Any]]) -> str:
    """Why there is no value, and what there is instead."""
    code = about["indicator_code"]
    if not about["is_evaluated"]:
        return f"{code} has no values: {about['no_value_reason']}."
    if unit.level not in REPORTED:
        return f"there are no values of a {unit.level}: {unit}. Levels with values: {', '.join(REPORTED)}."
    lowest = about["lowest_level"]
    if not periods and lowest in REPORTED and REPORTED.index(unit.level) < REPORTED.index(lowest):
        return f"{code} has no values below the level {lowest}: {unit} is a {unit.level}."
    if not periods:
        return f"{code} has no value of {unit} in any period: nothing of it was reported there."
    loaded = ", ".join(row["period"] for row in periods)
    quarterly = about["is_sensitive"] and about["periodicity"] != "monthly" and asked.type == "month"
    why = " (small cells are kept back by quarter, so there are no months of it)" if quarterly else ""
    return f"{code} has no value of {unit} in {asked.label}{why}; there are: {loaded}."


def _rows(connection: Connection[Any], query: str, **parameters: Any) -> Rows:
    return connection.cursor(row_factory=dict_row).execute(query.encode(), parameters).fetchall()
