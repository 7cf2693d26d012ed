"""Metadata snapshots: every table's rows, paging that survives DHIS2's habits, coordinates (contract 1.2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stub_http import Answer, Asked, Connect, Stub, as_json

from hic_assets.extract.dhis2 import metadata as reader
from hic_assets.extract.dhis2.metadata import metadata
from hic_assets.extract.dhis2.metadata_tables import TABLES
from hic_assets.extract.errors import QueryRefused, TransientSourceError, UnexpectedContent
from hic_assets.systems.dhis2_tracker import REGISTRY_COLUMNS

INFO = {"version": "2.42.0", "calendar": "iso8601", "systemId": "s"}
COMBO = {"id": "cc", "name": "Age and sex", "categories": [{"id": "c1", "name": "Age"}, {"id": "c2", "name": "Sex"}]}
LISTS: dict[str, list[dict[str, Any]]] = {
    "organisationUnits": [
        {"id": "rw", "code": "RW", "name": "Rwanda", "shortName": "RW", "level": 1, "path": "/rw"},
        {
            "id": "f1",
            "code": "0022",
            "name": "Kacyiru",
            "level": 6,
            "path": "/rw/f1",
            "parent": {"id": "rw"},
            "openingDate": "1990-01-01T00:00:00.000",
            "closedDate": None,
            "lastUpdated": "2024-01-01T08:00:00.000",
            "geometry": {"type": "Point", "coordinates": [30.0867, -1.9306]},
        },
        {"id": "d1", "level": 3, "geometry": {"type": "Polygon", "coordinates": [[[30.0, -1.9], [30.1, -1.8]]]}},
    ],
    "organisationUnitLevels": [{"id": "l1", "level": 1, "name": "Country"}, {"id": "l2", "level": 2}],
    "organisationUnitGroups": [
        {
            "id": "g1",
            "code": "HC",
            "name": "Health centre",
            "groupSets": [{"id": "gs", "name": "Facility type"}],
            "organisationUnits": [{"id": "f1"}, {"id": "f2"}],
        },
        {"id": "g2", "name": "Loose", "organisationUnits": [{"id": "f1"}]},
    ],
    "dataElements": [
        {
            "id": "de",
            "name": "Cases",
            "domainType": "AGGREGATE",
            "valueType": "INTEGER",
            "aggregationType": "SUM",
            "zeroIsSignificant": False,
            "categoryCombo": {"id": "cc"},
        }
    ],
    "categoryOptionCombos": [
        {
            "id": "coc",
            "name": "<5, F",
            "categoryCombo": COMBO,
            "categoryOptions": [
                {"id": "o1", "name": "<5", "categories": [{"id": "other"}, {"id": "c1", "name": "Age"}]},
                {"id": "o2", "code": "F", "name": "Female", "categories": [{"id": "c2", "name": "Sex"}]},
                {"id": "o3", "name": "Odd", "categories": []},
            ],
        }
    ],
    "dataSets": [
        {
            "id": "ds",
            "name": "Monthly report",
            "periodType": "Monthly",
            "timelyDays": 15.0,
            "expiryDays": 30,
            "openFuturePeriods": 0,
            "categoryCombo": {"id": "default"},
            "dataSetElements": [
                {"dataElement": {"id": "de"}},
                {"dataElement": {"id": "df"}, "categoryCombo": {"id": "cc"}},
            ],
            "organisationUnits": [{"id": "f1"}, {"id": "f2"}],
        }
    ],
    "indicators": [
        {
            "id": "in",
            "name": "Coverage",
            "indicatorType": {"id": "it", "name": "Per cent", "factor": 100},
            "annualized": True,
            "decimals": 1,
            "numerator": "#{de.coc}",
            "denominator": "#{pop}",
        }
    ],
    "constants": [{"id": "k", "name": "Share of pregnant women", "value": 0.041}],
}
ROWS: dict[str, list[dict[str, Any]]] = {
    "organisation_units": [
        {"id": "rw", "code": "RW", "name": "Rwanda", "short_name": "RW", "level": "1", "path": "/rw"},
        {
            "id": "f1",
            "code": "0022",
            "name": "Kacyiru",
            "level": "6",
            "path": "/rw/f1",
            "parent": "rw",
            "opening_date": "1990-01-01T00:00:00.000",
            "longitude": "30.0867",
            "latitude": "-1.9306",
            "last_updated": "2024-01-01T08:00:00.000",
        },
        {"id": "d1", "level": "3"},
    ],
    "organisation_unit_levels": [{"level": "1", "name": "Country"}, {"level": "2", "name": None}],
    "organisation_unit_group_members": [
        {
            "group_set": "gs",
            "group_set_name": "Facility type",
            "group_id": "g1",
            "group_code": "HC",
            "group_name": "Health centre",
            "org_unit": unit,
        }
        for unit in ("f1", "f2")
    ]
    + [{"group_id": "g2", "group_name": "Loose", "org_unit": "f1"}],
    "data_elements": [
        {
            "id": "de",
            "name": "Cases",
            "domain_type": "AGGREGATE",
            "value_type": "INTEGER",
            "aggregation_type": "SUM",
            "zero_is_significant": "false",
            "category_combo": "cc",
        }
    ],
    "category_option_combos": [
        {"id": "coc", "name": "<5, F", "category_combo": "cc", "category_combo_name": "Age and sex"}
    ],
    "category_option_combo_options": [
        {
            "category_option_combo": "coc",
            "category_option": "o1",
            "category_option_name": "<5",
            "category": "c1",
            "category_name": "Age",
        },
        {
            "category_option_combo": "coc",
            "category_option": "o2",
            "category_option_code": "F",
            "category_option_name": "Female",
            "category": "c2",
            "category_name": "Sex",
        },
        {"category_option_combo": "coc", "category_option": "o3", "category_option_name": "Odd"},
    ],
    "data_sets": [
        {
            "id": "ds",
            "name": "Monthly report",
            "period_type": "Monthly",
            "timely_days": "15.0",
            "expiry_days": "30",
            "open_future_periods": "0",
            "category_combo": "default",
        }
    ],
    "data_set_elements": [
        {"data_set": "ds", "data_element": "de"},
        {"data_set": "ds", "data_element": "df", "category_combo": "cc"},
    ],
    "data_set_org_units": [{"data_set": "ds", "org_unit": "f1"}, {"data_set": "ds", "org_unit": "f2"}],
    "indicators": [
        {
            "id": "in",
            "name": "Coverage",
            "indicator_type": "it",
            "factor": "100",
            "annualized": "true",
            "decimals": "1",
            "numerator": "#{de.coc}",
            "denominator": "#{pop}",
        }
    ],
    "constants": [{"id": "k", "name": "Share of pregnant women", "value": "0.041"}],
}


def serve(stub: Stub, **lists: list[Any]) -> None:
    def answer(asked: Asked) -> Answer:
        name = asked.path.removeprefix("/api/")
        return as_json(INFO) if name == "system/info" else as_json({name: (LISTS | lists)[name]})

    stub.answer = answer


def rows_of(source: Any) -> list[dict[str, Any]]:
    return [row for batch in source for row in batch.frame.to_dicts()]


# Those of trackers: test_tracker_metadata.
@pytest.mark.parametrize("table", [name for name in TABLES if name not in REGISTRY_COLUMNS])
def test_every_table(stub: Stub, connect: Connect, table: str) -> None:
    serve(stub)
    source = getattr(reader, table)(connect())
    blank = dict.fromkeys(TABLES[table].columns)
    assert rows_of(source) == [blank | row for row in ROWS[table]]
    assert source.stats[-1].rows == len(ROWS[table])
    lists = [asked for asked in stub.asked if asked.path != "/api/system/info"]
    assert all(asked.one("paging") == "false" and asked.one("fields") for asked in lists)


def test_geometry_is_a_request_of_its_own(stub: Stub, connect: Connect) -> None:
    serve(stub)
    rows_of(reader.organisation_units(connect()))
    fields = [asked.one("fields") or "" for asked in stub.asked[1:]]
    assert sorted("geometry" in field for field in fields) == [False, True]


def test_coordinates_of_old_servers_are_understood(stub: Stub, connect: Connect) -> None:
    units = [
        {"id": "a", "coordinates": "[30.5,-1.25]"},
        {"id": "b", "coordinates": "[[[30.5,-1.25]]]"},
        {"id": "c", "coordinates": "oops"},
    ]
    serve(stub, organisationUnits=units)
    found = [(row["longitude"], row["latitude"]) for row in rows_of(metadata(connect(), "organisation_units"))]
    assert found == [("30.5", "-1.25"), (None, None), (None, None)]


def test_an_object_of_another_shape_is_rejected_whole(stub: Stub, connect: Connect) -> None:
    odd: dict[str, Any] = {"id": "x", "categoryCombo": "cc"}
    serve(stub, dataElements=[odd, {"name": "no id"}, {"id": "y"}])
    source = metadata(connect(), "data_elements")
    (batch,) = list(source)
    assert batch.frame["id"].to_list() == ["y"]
    assert batch.rejects is not None
    assert [json.loads(line) for line in batch.rejects["line"]] == [odd, {"name": "no id"}]
    assert "categoryCombo" in batch.rejects["reason"][0]
    assert source.stats[0].rows == 3


def test_a_reply_without_the_list_is_refused(stub: Stub, connect: Connect) -> None:
    misspelt: dict[str, Any] = {"dataelements": []}
    stub.answer = lambda asked: as_json(INFO if "info" in asked.path else misspelt)
    with pytest.raises(UnexpectedContent, match="dataElements"):
        list(metadata(connect(), "data_elements"))


def test_an_empty_list_is_no_error(stub: Stub, connect: Connect) -> None:
    serve(stub, constants=[])
    assert rows_of(metadata(connect(), "constants")) == []


class Paged:
    """A server that cannot serve the whole list, clamps `pager.page`, and may change between pages."""

    def __init__(self, ids: list[str], size: int) -> None:
        self.ids, self.size = ids, size
        self.after_page: dict[int, Any] = {}

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/api/system/info":
            return as_json(INFO)
        if asked.one("paging") == "false":
            return Answer(status=504)
        assert asked.one("order") == "id:asc"
        page = int(asked.one("page") or 1)
        count = -(-len(self.ids) // self.size)
        some = sorted(self.ids)[(page - 1) * self.size : page * self.size]
        pager = {"page": min(page, count), "total": len(self.ids), "pageSize": self.size, "pageCount": count}
        if page in self.after_page:
            self.after_page.pop(page)(self.ids)
        return as_json({"pager": pager, "constants": [{"id": one} for one in some]})


def ids_of(source: Any) -> list[str]:
    return [row["id"] for row in rows_of(source)]


def test_pages_where_the_whole_is_too_much(stub: Stub, connect: Connect, spool_dir: Path) -> None:
    stub.answer = Paged([f"k{n}" for n in range(7)], 3)
    source = metadata(connect(), "constants")
    assert ids_of(source) == [f"k{n}" for n in range(7)]
    assert [stats.rows for stats in source.stats] == [3, 3, 1]
    assert list(spool_dir.iterdir()) == []


def test_an_object_that_moves_to_another_page_comes_once(stub: Stub, connect: Connect) -> None:
    paged = Paged([f"k{n}" for n in range(6)], 3)
    paged.after_page[1] = lambda ids: ids.append("a0")
    stub.answer = paged
    assert sorted(ids_of(metadata(connect(), "constants"))) == ["a0", *(f"k{n}" for n in range(6))]


def test_an_object_lost_between_pages_is_noticed(stub: Stub, connect: Connect) -> None:
    paged = Paged([f"k{n}" for n in range(6)], 3)
    paged.after_page[1] = lambda ids: ids.remove("k0")
    stub.answer = paged
    assert ids_of(metadata(connect(), "constants")) == [f"k{n}" for n in range(1, 6)]


def test_a_list_that_never_holds_still_is_given_up(stub: Stub, connect: Connect, spool_dir: Path) -> None:
    paged = Paged([f"k{n}" for n in range(6)], 3)

    def again(ids: list[str]) -> None:
        ids.pop(0)
        paged.after_page[1] = again

    paged.after_page[1] = again
    stub.answer = paged
    with pytest.raises(TransientSourceError, match="changed while it was read"):
        ids_of(metadata(connect(), "constants"))
    assert list(spool_dir.iterdir()) == []


def test_a_refused_list_is_not_paged(stub: Stub, connect: Connect) -> None:
    stub.answer = lambda asked: as_json(INFO) if "info" in asked.path else as_json({"message": "no"}, status=400)
    with pytest.raises(QueryRefused):
        ids_of(metadata(connect(), "constants"))
    assert len(stub.asked) == 2
