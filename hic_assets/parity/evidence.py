"""What the recogniser of patterns looks at: values of fields that differ, and where missing records lie.

Belongs here: SQL for facts. Does not: what they mean (``patterns``). The values stay in memory; they are never shown.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import Connection

from hic_assets.landing.ddl import exists
from hic_assets.parity.differences import Difference
from hic_assets.parity.loads import Compared, Loads
from hic_assets.parity.match import Matched
from hic_assets.parity.patterns import Missing, Pair
from hic_assets.systems.declare import Pipeline

_PAIRS_A_FIELD = 200
_FIELDS = 50
HIERARCHY = "hmis_organisation_units"
"""The registry with the tree, which all national DHIS2 instances share."""

_PAIRS = f"""
select f.field, p.legacy, p.unified
from unnest(%s::text[]) f (field)
cross join lateral (
    select d.legacy, d.unified from parity_field d
    where d.field = f.field and not d.late order by d.key limit {_PAIRS_A_FIELD}
) p
"""
# Of the missing records: how many, in which units, and made and changed from when to when.
_LACKED = """
select count(*), array_agg(distinct t.org_unit) filter (where t.org_unit is not null),
       min(t.{created} collate "C"), max(t.{created} collate "C"), min(t._source_updated_at), max(t._source_updated_at)
from parity_class c join parity_match m on m.key = c.key
join raw.{relation} t on t.ctid = m.{side}_place
where c.class = '{missing}'
"""
# Records of the same side, of those times, that the other side has too.
_BETWEEN = """
select count(*) filter (where t.{created} collate "C" > %(created_from)s and t.{created} collate "C" < %(created_to)s),
       count(*) filter (where t._source_updated_at > %(updated_from)s and t._source_updated_at < %(updated_to)s)
from raw.{relation} t
where t._partition = '{day}'
  and (t.{created} collate "C" > %(created_from)s and t.{created} collate "C" < %(created_to)s
       or t._source_updated_at > %(updated_from)s and t._source_updated_at < %(updated_to)s)
  and not exists (select from parity_class c where c.key = t.{key} and c.class = '{missing}')
"""
_KEPT = "select distinct t.org_unit from raw.{relation} t where t._partition = '{day}' and t.org_unit is not null"


def value_pairs(connection: Connection[Any], differing: Iterable[str]) -> Mapping[str, Sequence[Pair]]:
    """Both sides' values of the first records of each field that differs, of the first fields."""
    pairs: dict[str, list[Pair]] = {}
    for field, legacy, unified in connection.execute(_PAIRS.encode(), (list(differing)[:_FIELDS],)):
        pairs.setdefault(field, []).append((legacy, unified))
    return pairs


def missing_records(connection: Connection[Any], compared: Compared, loads: Loads, matched: Matched) -> list[Missing]:
    """Where the records lie that legacy or unified lacks."""
    found = []
    for side, other, missing, kept in (
        (Pipeline.UNIFIED, Pipeline.LEGACY, Difference.MISSING_IN_UNIFIED, matched.unified_rows),
        (Pipeline.LEGACY, Pipeline.UNIFIED, Difference.MISSING_IN_LEGACY, matched.legacy_rows),
    ):
        any_missing = connection.execute(
            "select exists (select from parity_class where class = %s)", (missing,)
        ).fetchone()
        if any_missing == (True,):
            found.append(_missing(connection, compared, loads.of(side).rows_read, side, other, missing, kept))
    return found


def _missing(
    connection: Connection[Any],
    compared: Compared,
    rows_read: int,
    side: Pipeline,
    other: Pipeline,
    missing: Difference,
    kept: int,
) -> Missing:
    names = {
        "created": next(f for f in compared.fields if f.name == "created_at").column(other),
        "relation": compared.relation(other),
        "side": other.value,
        "key": compared.key.column(other),
        "day": compared.partition.isoformat(),
        "missing": missing.value,
    }
    lacked = connection.execute(_LACKED.format(**names).encode()).fetchone()
    assert lacked is not None  # noqa: S101 - an aggregate always returns one row
    rows, units, *times = lacked
    bounds = dict(zip(("created_from", "created_to", "updated_from", "updated_to"), times, strict=True))
    between = connection.execute(_BETWEEN.format(**names).encode(), bounds).fetchone()
    assert between is not None  # noqa: S101 - an aggregate always returns one row
    query = _KEPT.format(relation=compared.relation(side), day=names["day"])
    kept_units = [unit for (unit,) in connection.execute(query.encode())]
    place = _place(connection, units or [], kept_units)
    return Missing(side, rows, kept, rows_read, between[0], between[1], len(units or []), len(kept_units), **place)


def _place(connection: Connection[Any], units: Sequence[str], kept: Sequence[str]) -> dict[str, Any]:
    """Where in the hierarchy the missing rows' units are, where it is landed and knows them all."""
    if not units or not exists(connection, "raw", HIERARCHY):
        return {}
    found = connection.execute(
        f"select id, path, name from raw.{HIERARCHY} where id = any(%s)".encode(), ([*units, *kept],)
    ).fetchall()
    paths = {uid: path for uid, path, _ in found if path}
    if any(unit not in paths for unit in [*units, *kept]):
        return {}
    common = posixpath.commonpath([paths[unit] for unit in units])
    level = common.count("/")
    below = None
    if level > 1:
        name = connection.execute(
            f"select name from raw.{HIERARCHY} where id = %s".encode(), (posixpath.basename(common),)
        ).fetchone()
        below = name[0] if name else None
    levels = [paths[unit].count("/") for unit in kept]
    return {
        "below": below,
        "kept_below": sum(f"{paths[unit]}/".startswith(f"{common}/") for unit in kept),
        "deepest_kept": max(levels, default=None),
        "highest_missing": min(paths[unit].count("/") for unit in units),
    }
