"""The raw rows behind fact rows, found by their keys, and whether they still are what the facts were made of.

Of a raw row its key, value, time of change and load are read, never who stored it or what was commented; of a value only what
is a number, yes or no. Names and identifiers of persons are in no table that is read here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from hic_assets.explain.facts import facts_sql, parameters, unbuilt_sql, untraced
from hic_assets.explain.model import Cell
from hic_assets.explain.project import clean

_OF_VALUES = """
select f.n, f.part, '{table}' as relation, btrim(r.period) as period, f.unit, f.item, f.combo, f.attribute,
    case when {number} is not null then btrim(r.value) end as value, {number} as number,
    r._load_id as load_id, r._source_updated_at as updated
from facts f join {table} r on {when}
    and {data_element} = f.item and {org_unit} = f.unit
    and coalesce({category_option_combo}, '') = coalesce(f.combo, '')
    and coalesce({attribute_option_combo}, '') = coalesce(f.attribute, '')
    and r.deleted is distinct from 'true'
where f.fact = '{fact}'
"""
# What makes a report expected, and what makes it received.
_ASSIGNED = """
select f.n, f.part, 'raw.hmis_data_set_org_units', null, f.unit, f.item, null, null,
    'assigned', null::double precision, r._load_id, r._source_updated_at
from facts f join raw.hmis_data_set_org_units r on {data_set} = f.item and {org_unit} = f.unit
where f.fact = 'dwh.fct_reporting' and (f.value <> 0 or (f.combine = 'rate' and f.base <> 0))
"""
_REGISTERED = """
select f.n, f.part, 'raw.hmis_complete_registrations', btrim(r.period), f.unit, f.item, null, {attribute_option_combo},
    'completed ' || ({completed_on})::text, null::double precision, r._load_id, r._source_updated_at
from facts f join raw.hmis_complete_registrations r
    on r._partition = f.month and {data_set} = f.item and {org_unit} = f.unit
where f.fact = 'dwh.fct_reporting' and f.registered and f.value <> 0 and r._partition = any(%(months)s)
    and coalesce({completed}, true)
"""
_MEMBERS = """
select f.n, f.part, 'raw.hmis_organisation_unit_group_members', null, f.unit, f.item, null, null,
    'member', null::double precision, r._load_id, r._source_updated_at
from facts f join raw.hmis_organisation_unit_group_members r on {group_id} = f.item and {org_unit} = f.unit
where f.fact = 'staging.stg_hmis__organisation_unit_group_members'
"""
# A received report needs its registration; what is only expected, or a value, any one raw row.
_TRACED = """
select count(*) filter (where r.n is null) as missing,
    count(*) filter (where r.of_other_load) as other_load,
    count(*) filter (where r.of_other_value) as other_value
from facts f
left join (
    select g.n, bool_or(r.load_id <> g.load_id) as of_other_load,
        bool_or(r.number is distinct from g.value and r.relation in ('raw.hmis_data_values', 'raw.hmis_yearly_values'))
            as of_other_value
    from facts g join raws r on r.n = g.n
    where not g.registered or g.value = 0 or r.relation = 'raw.hmis_complete_registrations'
    group by g.n
) r on r.n = f.n
where (f.fact <> 'dwh.fct_reporting' or f.value <> 0) and not f.fact = any(%(untraced)s)
"""
_ROW = "relation, period, unit, item, combo, attribute"
_BY_PART = f"select part, count(distinct ({_ROW})) as rows from raws group by part"
_LOADS = f"""
select load_id, relation, count(distinct ({_ROW})) as rows, array_agg(distinct unit) as units,
    array_agg(distinct item) as items, array_remove(array_agg(distinct period), null) as periods
from raws group by load_id, relation order by relation, load_id
"""
_ONE_BY_ONE = f"""
, once as (
    select distinct on (r.part, {", ".join("r." + name for name in _ROW.split(", "))}) r.*, f.month, abs(f.value * f.times) as size
    from raws r join facts f on f.n = r.n order by r.part, {", ".join("r." + name for name in _ROW.split(", "))}, f.month
),
ranked as (
    select *, row_number() over (partition by part order by size desc, month, unit, item, combo, relation) as rank from once
)
select r.part, r.relation, r.period, r.unit, p.name as facility, r.item, coalesce(e.code, e.name, d.name, r.item) as what,
    r.combo, c.name as disaggregation, r.attribute, r.value, r.load_id, r.updated
from ranked r
left join (
    select facility_uid as uid, name from dwh.dim_facility where is_current
    union all select geography_uid, name from dwh.dim_geography
) p on p.uid = r.unit
left join dwh.dim_data_element e on e.data_element_uid = r.item
left join dwh.dim_data_set d on d.data_set_uid = r.item
left join dwh.dim_category_option_combo c on c.category_option_combo_uid = r.combo
where r.rank <= %(limit)s order by r.part, r.rank
"""
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Traced:
    """Fact rows without a raw row, with one of another load than theirs, with one of another value; and raw rows without a fact row."""

    missing: int
    other_load: int
    other_value: int
    unbuilt: int


def traced(connection: Connection[Any], cell: Cell) -> tuple[Traced, dict[int, int]]:
    """Whether each fact row has the raw row it was made of, and how many raw rows each part has."""
    found = _rows(connection, cell, _TRACED, untraced=untraced(cell))[0]
    unbuilt = connection.execute(unbuilt_sql(cell).encode(), parameters(cell)).fetchone()
    return Traced(**found, unbuilt=unbuilt[0] if unbuilt else 0), {
        row["part"]: row["rows"] for row in _rows(connection, cell, _BY_PART)
    }


def loads_behind(connection: Connection[Any], cell: Cell) -> Rows:
    """The loads that landed the raw rows, with the places and items they are of."""
    return _rows(connection, cell, _LOADS)


def one_by_one(connection: Connection[Any], cell: Cell, limit: int) -> Rows:
    """The raw rows of the largest fact rows of each part."""
    return _rows(connection, cell, _ONE_BY_ONE, limit=limit)


@cache
def _raws() -> str:
    """The CTE ``raws``: a row a raw row and fact row (``n``)."""
    names = ("data_element", "org_unit", "category_option_combo", "attribute_option_combo", "data_set", "group_id")
    words = {name: clean("key_text", f"r.{name}") for name in names}
    words["completed_on"], words["completed"] = clean("date", "r.date"), clean("boolean", "r.completed")
    # DHIS2 counts yes as 1 and no as 0, as the fact does.
    words["number"] = f"""coalesce({clean("number", "r.value")},
        case lower(btrim(r.value)) when 'true' then 1 when 'false' then 0 end::double precision)"""
    monthly = {
        "table": "raw.hmis_data_values",
        "fact": "dwh.fct_data_value",
        "when": "r._partition = f.month and r._partition = any(%(months)s)",
    }
    yearly = {
        "table": "raw.hmis_yearly_values",
        "fact": "staging.stg_hmis__yearly_values",
        "when": f"{clean('key_integer', 'r.period')} = extract(year from f.month)",
    }
    every = [_OF_VALUES.format(**words, **kind) for kind in (monthly, yearly)]
    every += [text.format(**words) for text in (_ASSIGNED, _REGISTERED, _MEMBERS)]
    return f", raws as materialized ({'union all'.join(every)})"


def _rows(connection: Connection[Any], cell: Cell, query: str, **more: Any) -> Rows:
    asked = {**parameters(cell), **more}
    text = facts_sql(cell) + _raws() + query
    return connection.cursor(row_factory=dict_row).execute(text.encode(), asked).fetchall()
