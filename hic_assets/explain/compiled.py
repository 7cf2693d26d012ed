"""A value of an indicator that DHIS2 defines: what the marts say of it, and the operands of its compiled expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from hic_assets.explain.model import SIDES, Asked, Cell, Indicator, NoValue, Part, Unit
from hic_assets.explain.resolve import REPORTED
from hic_assets.explain.rights import EXPRESSIONS, Rights

_ABOUT = "select * from dwh.dim_indicator where indicator_uid = %(uid)s"
_ROW = """
select f.*, p.days_in_month,
    round(100.0 * f.received_reports / nullif(f.expected_reports, 0), 1)::double precision as reporting_completeness,
    exists (
        select from reporting.rpt_indicator_monthly r
        where r.indicator_code is not distinct from %(code)s and r.indicator_name is not distinct from %(name)s
            and r.org_unit_uid = f.org_unit_uid and r.month = f.period_start
    ) as is_reported
from dwh.fct_indicator_value f join dwh.dim_period p on p.period_start = f.period_start
where f.indicator_uid = %(uid)s and f.org_unit_uid = %(unit)s and f.period_start = %(month)s
"""
_PERIODS = """
select distinct to_char(period_start, 'YYYY-MM') as period from dwh.fct_indicator_value
where indicator_uid = %(uid)s and org_unit_uid = %(unit)s order by 1
"""
_EXPRESSIONS = """
select side, sql, operands from staging.stg_ops__indicator_sql
where indicator_uid = %(uid)s and side in ('numerator', 'denominator') and sql is not null
"""
_OPERANDS = """
select o.operand_key, o.operand_kind, o.item_part,
    case when o.operand_kind = 'de' then coalesce(o.combine, 'sum')
         when o.item_part like 'REPORTING_RATE%%' then 'rate' else 'sum' end as combine,
    coalesce(e.name, d.name) as name
from intermediate.int_operand o
left join dwh.dim_data_element e on o.operand_kind = 'de' and e.data_element_uid = o.item_uid
left join dwh.dim_data_set d on o.operand_kind = 'ds' and d.data_set_uid = o.item_uid
where o.operand_key = any(%(operands)s)
"""
Rows = list[dict[str, Any]]


def compiled_cell(connection: Connection[Any], rights: Rights, indicator: Indicator, unit: Unit, asked: Asked) -> Cell:
    """The value of an indicator of DHIS2, with its operands if the asker may read the expressions.

    Raises:
        NoValue: there is none.
    """
    keys = {"uid": indicator.key, "unit": unit.uid, "month": asked.start}
    about = _rows(connection, _ABOUT, **keys)[0]
    if not about["is_compiled"]:
        raise NoValue(f"{indicator.code} has no values: {about['refused_reason']}.")
    found = _rows(connection, _ROW, **keys, code=about["code"], name=about["name"]) if asked.type == "month" else []
    if not found:
        raise NoValue(_why_not(indicator, unit, asked, _rows(connection, _PERIODS, **keys)))
    row = found[0]
    kept_back = not row["is_reported"]
    cell = Cell(
        indicator,
        unit,
        asked,
        [asked.start],
        row,
        {side: row[side] for side in SIDES},
        is_kept_back=kept_back,
        is_sensitive=kept_back,
        about=about,
    )
    if rights.may(EXPRESSIONS):
        cell.parts = _parts(connection, cell)
    return cell


def evaluated(
    connection: Connection[Any], cell: Cell, values: Mapping[tuple[int, date], float | None]
) -> dict[str, float | None]:
    """Both sides, by the compiled SQL, from the values of the operands: what the fact does, from other rows."""
    month = cell.asked.start
    if all(values.get((part.number, month)) is None for part in cell.parts):
        return dict.fromkeys(SIDES)
    by_side = {row["side"]: row for row in _rows(connection, _EXPRESSIONS, uid=cell.indicator.key)}
    numbers = {(part.side, part.key): values.get((part.number, month)) for part in cell.parts}
    sides: dict[str, float | None] = {}
    for side, row in by_side.items():
        given = [numbers[side, key] for key in row["operands"]]
        columns = [
            sql.SQL("{}::double precision as {}").format(sql.Literal(value), sql.Identifier(f"o{n}"))
            for n, value in enumerate(given, 1)
        ]
        columns.append(sql.SQL("{}::double precision as days").format(sql.Literal(float(cell.row["days_in_month"]))))
        # The compiler's own text, as dbt runs it.
        query = sql.SQL("select ({})::double precision from (select {}) as sides").format(
            sql.SQL(row["sql"]), sql.SQL(", ").join(columns)
        )
        answer = connection.execute(query).fetchone()
        sides[side] = answer[0] if answer else None
    return {side: sides.get(side) for side in SIDES}


def _parts(connection: Connection[Any], cell: Cell) -> list[Part]:
    """The operands of both sides, in the order in which the expressions name them."""
    by_side = {row["side"]: row["operands"] for row in _rows(connection, _EXPRESSIONS, uid=cell.indicator.key)}
    named = [(side, key) for side in SIDES for key in by_side.get(side, [])]
    known = {
        row["operand_key"]: row for row in _rows(connection, _OPERANDS, operands=sorted({key for _, key in named}))
    }
    return [_part(number, side, key, known.get(key), cell.asked.start) for number, (side, key) in enumerate(named)]


def _part(number: int, side: str, key: str, known: Mapping[str, Any] | None, month: date) -> Part:
    combine = known["combine"] if known else "sum"
    kinds = {"de": "data element", "ds": "reports of a data set", "oug": "units of a group"}
    words = kinds.get(key.partition(":")[0], "operand")
    return Part(
        number,
        side,
        key,
        (known and known["name"]) or key,
        {month: 1.0},
        combine,
        detail=f"{words}, {(known and known['item_part']) or 'total'}; {combine}",
    )


def _why_not(indicator: Indicator, unit: Unit, asked: Asked, periods: Sequence[Mapping[str, Any]]) -> str:
    loaded = ", ".join(row["period"] for row in periods)
    if unit.level not in REPORTED:
        return f"there are no values of a {unit.level}: {unit}. Levels with values: {', '.join(REPORTED)}."
    if not loaded:
        return f"{indicator.code} has no value of {unit}: nothing was reported there."
    why = "" if asked.type == "month" else " (DHIS2's own indicators have values of months)"
    return f"{indicator.code} has no value of {unit} in {asked.label}{why}; there are: {loaded}."


def _rows(connection: Connection[Any], query: str, **parameters: Any) -> Rows:
    return connection.cursor(row_factory=dict_row).execute(query.encode(), parameters).fetchall()
