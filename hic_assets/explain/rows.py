"""The fact rows behind a value: added up by part, by facility, and one by one as far as asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from hic_assets.explain.facts import facts_sql, parameters
from hic_assets.explain.model import Cell

# As int_operand_value combines them; of measures it is always the sum.
_COMBINED = """case min(f.combine)
    when 'average' then avg(f.value * f.times) when 'min' then min(f.value * f.times) when 'max' then max(f.value * f.times)
    when 'count' then count(*) when 'rate' then 100 * sum(f.value) / nullif(sum(f.base), 0) when 'unsupported' then null
    else sum(f.value * f.times) end::double precision"""
_TOTALS = f"""
select f.part, f.month, {_COMBINED} as value, count(*) as rows from facts f group by f.part, f.month
"""
_NAMES = """
left join (
    select facility_uid as uid, name, fosa_code from dwh.dim_facility where is_current
    union all select geography_uid, name, null from dwh.dim_geography
) p on p.uid = r.unit
"""
_BY_FACILITY = f"""
, by_unit as (
    select f.part, f.unit, {_COMBINED} as value, sum(f.value * f.times * f.weight) as counts_as, count(*) as rows,
        count(*) over (partition by f.part) as of_all
    from facts f where %(shown)s::text[] is null or f.unit = any(%(shown)s) group by f.part, f.unit
),
ranked as (
    select *, row_number() over (partition by part order by abs(value) desc nulls last, unit) as rank from by_unit
)
select r.part, r.unit, p.name as facility, p.fosa_code, r.value, r.counts_as, r.rows, r.of_all
from ranked r {_NAMES} where r.rank <= %(limit)s order by r.part, r.rank
"""
_ONE_BY_ONE = f"""
, ranked as (
    select f.*, row_number() over (partition by f.part order by abs(f.value * f.times) desc, f.month, f.unit, f.item, f.combo)
        as rank
    from facts f
)
select r.n, r.part, r.fact, r.month, r.unit, p.name as facility, p.fosa_code, r.item,
    coalesce(e.code, e.name, d.name, r.item) as what, r.combo, c.name as disaggregation, r.attribute,
    r.value, r.times, r.load_id, r.updated
from ranked r {_NAMES}
left join dwh.dim_data_element e on e.data_element_uid = r.item
left join dwh.dim_data_set d on d.data_set_uid = r.item
left join dwh.dim_category_option_combo c on c.category_option_combo_uid = r.combo
where r.rank <= %(limit)s order by r.part, r.rank
"""
# Elements of measures of sensitive programmes: their rows are finer than what reports show.
_SENSITIVE = """
select exists (
    select from intermediate.int_measure_item i
    join staging.measure m on m.measure_code = i.measure_code and m.kind <> 'population'
    join staging.indicator_measure t on t.measure_code = i.measure_code
    join dwh.dim_core_indicator d on d.indicator_code = t.indicator_code and d.is_sensitive
    where i.data_element_uid in (select item from facts)
)
"""
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Totals:
    """What the fact rows of each part and month come to, and how many there are of each part."""

    values: dict[tuple[int, date], float | None]
    rows: dict[int, int]


def totals(connection: Connection[Any], cell: Cell) -> Totals:
    """The fact rows, added up by part and month."""
    found = _rows(connection, cell, _TOTALS)
    rows: dict[int, int] = dict.fromkeys((part.number for part in cell.parts), 0)
    for row in found:
        rows[row["part"]] += row["rows"]
    return Totals({(row["part"], row["month"]): row["value"] for row in found}, rows)


def by_facility(connection: Connection[Any], cell: Cell, limit: int, shown: set[str] | None) -> Rows:
    """The largest facilities of each part, with how many there are; only those ``shown``, where that is said."""
    found = _rows(connection, cell, _BY_FACILITY, limit=limit, shown=None if shown is None else sorted(shown))
    # An operand goes through its expression: no facility's number is a share of the side.
    return found if cell.indicator.kind == "catalogue" else [{**row, "counts_as": None} for row in found]


def one_by_one(connection: Connection[Any], cell: Cell, limit: int) -> Rows:
    """The largest fact rows of each part."""
    return _rows(connection, cell, _ONE_BY_ONE, limit=limit)


def counts_a_sensitive_programme(connection: Connection[Any], cell: Cell) -> bool:
    """Whether a data element behind it is one that a sensitive indicator counts."""
    (answer,) = _rows(connection, cell, _SENSITIVE)
    return bool(answer["exists"])


def _rows(connection: Connection[Any], cell: Cell, query: str, **more: Any) -> Rows:
    asked = {**parameters(cell), **more}
    return connection.cursor(row_factory=dict_row).execute((facts_sql(cell) + query).encode(), asked).fetchall()
