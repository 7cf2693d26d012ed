"""SQL of the fact rows behind the parts of a value, in one shape: what is counted, where, when, how often, from which load.

The joins are those of ``fct_measure_month`` and ``int_operand_value``, held to one place and its months. What comes out is added
up and compared with the marts, so a difference between the two is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hic_assets.explain.model import Cell, Part
from hic_assets.explain.project import FactMeasure, fact_measures, relation

_WANTED = """
wanted as (
    select * from unnest(%(numbers)s::int[], %(keys)s::text[], %(of_months)s::date[], %(weights)s::double precision[],
                         %(combines)s::text[]) as w (part, key, month, weight, combine)
),
units as (
    select descendant_uid as uid from intermediate.int_org_unit_closure
    where ancestor_uid = %(unit)s and is_reporting_level
),
"""
_ITEMS = "(i.category_option_combo_uid is null or {rows}.category_option_combo_uid = i.category_option_combo_uid)"
_OPERAND = """(o.item_part is null or {rows}.category_option_combo_uid = o.item_part)
    and (o.attribute_option_combo_uid is null or {rows}.attribute_option_combo_uid = o.attribute_option_combo_uid)
    and (w.combine <> 'none' or {rows}.org_unit_uid = %(unit)s)"""
_REPORTED = """
select w.part, w.combine, w.weight, 'dwh.fct_data_value' as fact, f.period_start as month, f.org_unit_uid as unit,
    f.data_element_uid as item, f.category_option_combo_uid as combo, f.attribute_option_combo_uid as attribute,
    f.value, {times} as times, 1 as base, f.load_id, f.source_updated_at as updated, false as registered
from wanted w
{join}
join dwh.fct_data_value f on f.period_start = w.month and f.data_element_uid = {element} and {match}
join units u on u.uid = f.org_unit_uid
where f.value is not null
"""
_YEARLY = """
select w.part, w.combine, w.weight, 'staging.stg_hmis__yearly_values', w.month, y.org_unit_uid,
    y.data_element_uid, y.category_option_combo_uid, y.attribute_option_combo_uid,
    y.value_number, {times}, 1, y.load_id, y.source_updated_at, false
from wanted w
{join}
join staging.stg_hmis__yearly_values y
    on y.year = extract(year from w.month) and y.data_element_uid = {element} and {match}
join units u on u.uid = y.org_unit_uid
where y.value_number is not null
"""
# The other way round: values that count, as dwh.fct_data_value would have them, and that are not there.
_UNBUILT = """
select count(distinct (s.period_start, s.org_unit_uid, s.data_element_uid, s.category_option_combo_uid, s.attribute_option_combo_uid))
from wanted w
{join}
join staging.stg_hmis__data_values s on s.period_start = w.month and s.data_element_uid = {element} and {match}
join units u on u.uid = s.org_unit_uid
left join dwh.dim_data_element e on e.data_element_uid = s.data_element_uid
where case
        when e.value_type in ('BOOLEAN', 'TRUE_ONLY') then lower(btrim(s.value_text)) in ('true', 'false')
        else coalesce(e.is_numeric, true) and s.value_number is not null
    end
    and not exists (
        select from dwh.fct_data_value f
        where f.period_start = s.period_start and f.org_unit_uid = s.org_unit_uid and f.data_element_uid = s.data_element_uid
            and f.category_option_combo_uid is not distinct from s.category_option_combo_uid
            and f.attribute_option_combo_uid is not distinct from s.attribute_option_combo_uid
            and f.value is not null
    )
"""
_MEASURE = "join intermediate.int_measure_item i on i.measure_code = w.key"
_POPULATION = _MEASURE + "\njoin staging.measure m on m.measure_code = w.key and m.kind = 'population'"
_STAND_IN = """join staging.measure m on m.measure_code = w.key and m.share_of is not null
join staging.measure total on total.measure_code = m.share_of and total.kind = 'population'
join intermediate.int_measure_item i on i.measure_code = m.share_of"""
# A unit with a target of its own has no need of a share.
_NO_TARGET = f"""    and not exists (
        select from staging.stg_hmis__yearly_values y2 join intermediate.int_measure_item i2
            on i2.data_element_uid = y2.data_element_uid
            and {_ITEMS.format(rows="y2").replace("i.", "i2.")}
        where i2.measure_code = m.measure_code and m.kind = 'population' and y2.org_unit_uid = y.org_unit_uid
            and y2.year = y.year and y2.value_number is not null
    )
"""
_OPERANDS = "join intermediate.int_operand o on o.operand_key = w.key and o.operand_kind = '{kind}'"
_REPORTS = f"""
select w.part, w.combine, w.weight, 'dwh.fct_reporting', r.period_start, r.org_unit_uid, r.data_set_uid, null, null,
    case o.item_part when 'EXPECTED_REPORTS' then r.is_expected
        when 'ACTUAL_REPORTS' then r.is_expected and r.is_received
        when 'REPORTING_RATE' then r.is_expected and r.is_received
        else r.is_expected and r.is_received_on_time end::int::double precision,
    1::double precision, r.is_expected::int, null, null, o.item_part <> 'EXPECTED_REPORTS'
from wanted w
{_OPERANDS.format(kind="ds")}
join dwh.fct_reporting r on r.period_start = w.month and r.data_set_uid = o.item_uid
join units u on u.uid = r.org_unit_uid
"""
_GROUPS = f"""
select distinct w.part, w.combine, w.weight, 'staging.stg_hmis__organisation_unit_group_members', w.month, g.org_unit_uid,
    g.group_uid, null, null, 1::double precision, 1::double precision, 1, g.load_id, null::timestamptz, false
from wanted w
{_OPERANDS.format(kind="oug")}
join staging.stg_hmis__organisation_unit_group_members g on g.group_uid = o.item_uid
join units u on u.uid = g.org_unit_uid
"""
_COUNTED = """
select w.part, w.combine, w.weight, '{fact}', c.month, c.unit, c.item, null, null,
    c.value, 1::double precision, 1, null, null, {registered}
from wanted w
join (
    select {month} as month, {unit} as unit, {item} as item, ({value})::double precision as value from {fact}
    where ({where}) and {month} = any(%(months)s)
    group by 1, 2, 3
) c on c.month = w.month and w.key = '{measure}'
join units u on u.uid = c.unit
"""


def facts_sql(cell: Cell) -> str:
    """The CTEs ``wanted``, ``units`` and ``facts``: a row a fact row and part, numbered ``n``."""
    every = _of_catalogue(cell.parts) if cell.indicator.kind == "catalogue" else _of_dhis2()
    rows = "union all".join(every)
    return f"with {_WANTED}facts as materialized (select row_number() over () as n, f.* from ({rows}) f)"


def unbuilt_sql(cell: Cell) -> str:
    """How many values of the HMIS are landed and count, and are in no fact row."""
    if cell.indicator.kind == "catalogue":
        rows = _UNBUILT.format(join=_MEASURE, element="i.data_element_uid", match=_ITEMS.format(rows="s"))
    else:
        rows = _UNBUILT.format(join=_OPERANDS.format(kind="de"), element="o.item_uid", match=_OPERAND.format(rows="s"))
    return f"with {_WANTED.rstrip().rstrip(',')}{rows}"


def parameters(cell: Cell) -> dict[str, Any]:
    """What ``facts_sql`` is asked with: a line a part and month that counts."""
    lines = [(p.number, p.key, month, weight, p.combine) for p in cell.parts for month, weight in p.weights.items()]
    numbers, keys, months, weights, combines = zip(*lines, strict=True) if lines else ((), (), (), (), ())
    return {
        "numbers": list(numbers),
        "keys": list(keys),
        "of_months": list(months),
        "weights": list(weights),
        "combines": list(combines),
        "months": sorted(set(months)),
        "unit": cell.unit.uid,
    }


def untraced(cell: Cell) -> list[str]:
    """Facts behind it, counted by a line of ``fact_measures``, whose rows are not followed to raw rows: all but reports."""
    if cell.indicator.kind != "catalogue":
        return []
    counted = fact_measures()
    facts = {counted[part.key].fact for part in cell.parts if part.key in counted}
    return sorted(relation(fact) for fact in facts - {"fct_reporting"})


def _of_catalogue(parts: Sequence[Part]) -> list[str]:
    element, weight = "i.data_element_uid", "i.weight::double precision"
    counted = fact_measures()
    yearly = {"element": element, "match": _ITEMS.format(rows="y")}
    return [
        _REPORTED.format(join=_MEASURE, times=weight, element=element, match=_ITEMS.format(rows="f")),
        _YEARLY.format(join=_POPULATION, times=weight, **yearly),
        _YEARLY.format(join=_STAND_IN, times=f"{weight} * m.share::double precision", **yearly) + _NO_TARGET,
        *(_counted(counted[key]) for key in sorted({p.key for p in parts} & set(counted))),
    ]


def _counted(measure: FactMeasure) -> str:
    is_reports = measure.fact == "fct_reporting"
    return _COUNTED.format(
        fact=relation(measure.fact),
        month=measure.month,
        unit=measure.unit,
        item="data_set_uid" if is_reports else "null::text",
        value=_quoted(measure.value),
        where=_quoted(measure.where),
        measure=measure.measure,
        registered=str(is_reports and "is_received" in measure.where).lower(),
    )


def _quoted(text: str) -> str:
    """SQL of the project inside SQL with parameters."""
    return text.replace("%", "%%")


def _of_dhis2() -> list[str]:
    join, element = _OPERANDS.format(kind="de"), "o.item_uid"
    once = "1::double precision"
    return [
        _REPORTED.format(join=join, times=once, element=element, match=_OPERAND.format(rows="f")),
        _YEARLY.format(join=join, times=once, element=element, match=_OPERAND.format(rows="y")),
        _REPORTS,
        _GROUPS,
    ]
