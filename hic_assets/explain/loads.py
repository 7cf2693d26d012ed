"""The loads that landed raw rows, and the requests to the source that may have brought them, as the ledger kept them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from psycopg import Connection
from psycopg.rows import dict_row

from hic_assets.extract.redaction import clean_url
from hic_assets.systems import SYSTEMS

_LOADS = """
select load_id, 'raw.' || relation as relation, system, partition_key as partition, status, is_current, source, started_at,
    finished_at, source_read_at, rows_read, landed, quarantined, duplicates, run_id
from ops.load where load_id = any(%(loads)s)
"""
_REQUESTS = """
select load_id, slice, url, rows, attempts from ops.load_slice where load_id = any(%(loads)s) order by load_id, slice
"""
_SETS = """
select distinct data_element_uid as item, data_set_uid from staging.stg_hmis__data_set_elements
where data_element_uid = any(%(items)s)
"""
_ABOVE = """
select descendant_uid as unit, ancestor_uid from intermediate.int_org_unit_closure where descendant_uid = any(%(units)s)
"""
Rows = list[dict[str, Any]]


def loads_of(connection: Connection[Any], behind: Sequence[Mapping[str, Any]]) -> Rows:
    """A line a load and table, with what the ledger says of it; one the ledger has not says so."""
    held = {row["load_id"]: row for row in _rows(connection, _LOADS, loads=_ids(behind))}
    found = []
    for row in behind:
        ledger = held.get(row["load_id"])
        if ledger is None or ledger["relation"] != row["relation"]:
            found.append({"load_id": row["load_id"], "relation": row["relation"], "status": "not in the ledger"})
        else:
            source = ledger["source"] and clean_url(ledger["source"])
            found.append({**ledger, "source": source, "read_by": _reader(row["relation"])})
    return found


def requests_of(connection: Connection[Any], behind: Sequence[Mapping[str, Any]]) -> Rows:
    """The requests of these loads that may have brought these rows, without host and secrets: by data set, place and period."""
    items = sorted({item for row in behind for item in row["items"]})
    units = sorted({unit for row in behind for unit in row["units"]})
    sets, above = _map(_rows(connection, _SETS, items=items)), _map(_rows(connection, _ABOVE, units=units))
    wanted = {row["load_id"]: sought(row, sets, above) for row in behind}
    return [
        {**request, "url": path_of(request["url"])}
        for request in _rows(connection, _REQUESTS, loads=_ids(behind))
        if may_have_brought(request["url"], wanted[request["load_id"]])
    ]


@dataclass(frozen=True)
class Sought:
    """What raw rows of a load are of. ``above``: the places and all that they lie in."""

    data_sets: Set[str]
    units: Set[str]
    above: Set[str]
    periods: Set[str]


def sought(behind: Mapping[str, Any], sets: Mapping[str, Set[str]], above: Mapping[str, Set[str]]) -> Sought:
    """What to look for in the requests of a load; an item that is no data element is a data set or a group itself."""
    here = frozenset(behind["units"])
    return Sought(
        frozenset(name for item in behind["items"] for name in (sets.get(item) or {item})),
        here,
        here.union(*(above.get(unit, ()) for unit in here)),
        frozenset(behind["periods"]),
    )


def may_have_brought(url: str, rows: Sought) -> bool:
    """Whether a request asked for a data set and period of the rows, at one of their places or, with children, above it.

    What a request does not name does not narrow it.
    """
    asked = parse_qs(urlsplit(url).query)
    places = rows.above if asked.get("children") == ["true"] else rows.units
    told = (("dataSet", rows.data_sets), ("orgUnit", places), ("period", rows.periods))
    return all(name not in asked or not wanted or not wanted.isdisjoint(asked[name]) for name, wanted in told)


def path_of(url: str) -> str:
    """A request's path and parameters, with what looks like a secret hidden."""
    parts = urlsplit(clean_url(url))
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _reader(relation: str) -> str | None:
    """How the feed of a raw table is declared to be read."""
    name = relation.removeprefix("raw.")
    feeds = [feed for system in SYSTEMS for feed in system.feeds if feed.table.relation == name]
    return f"{feeds[0].reader}, {feeds[0].cadence.value}" if feeds else None


def _ids(behind: Iterable[Mapping[str, Any]]) -> list[int]:
    return sorted({row["load_id"] for row in behind})


def _map(rows: Rows) -> dict[str, set[str]]:
    """First column to the values of the second."""
    found: dict[str, set[str]] = {}
    for row in rows:
        one, other = row.values()
        found.setdefault(one, set()).add(other)
    return found


def _rows(connection: Connection[Any], query: str, **parameters: Any) -> Rows:
    return connection.cursor(row_factory=dict_row).execute(query.encode(), parameters).fetchall()
