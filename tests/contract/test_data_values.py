"""Aggregate values: the whole tree in slices, halved where too large, JSON and CSV alike (contract 1.3)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fake_dhis2 import HEADER, TREE, Toy, dumped, everywhere, under
from hypothesis import given
from hypothesis import strategies as st
from stub_http import Answer, Asked, Connect, Stub, as_csv

from hic_assets.extract.batches import BatchSource
from hic_assets.extract.dhis2.data_values import COLUMNS, data_values
from hic_assets.extract.dhis2.slices import OrgUnit, Slice, divide, plan
from hic_assets.extract.errors import QueryRefused, ServerFault, TruncatedBody, UnexpectedContent, WrongColumns

EACH = Counter(list(TREE))


def frame(source: BatchSource) -> pl.DataFrame:
    parts = [batch.frame for batch in source]
    return pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(source.columns, pl.String))


def asked_for_values(stub: Stub) -> list[Asked]:
    return [asked for asked in stub.asked if asked.path == "/api/dataValueSets"]


def units(found: pl.DataFrame) -> Counter[str]:
    return Counter(found["org_unit"])


@pytest.mark.parametrize("wire", ["csv", "json"])
@pytest.mark.parametrize("version", ["2.38.7", "2.40.1-SNAPSHOT", "2.41.8.1", "2.42.5.2", "2.43-SNAPSHOT"])
def test_every_unit_once_on_every_version(stub: Stub, connect: Connect, version: str, wire: Any) -> None:
    Toy(version, values=everywhere("ds1")).on(stub)
    source = data_values(connect(), ["ds1"], ["202401"], wire=wire)
    found = frame(source)
    assert units(found) == EACH
    assert found.columns == list(COLUMNS)
    assert found.filter(org_unit="f4")["deleted"].to_list() == ["true"]
    assert found.filter(pl.col("org_unit") != "f4")["deleted"].null_count() == len(TREE) - 1
    assert found["follow_up"].to_list() == ["false"] * len(TREE)
    assert sum(stats.rows for stats in source.stats) == len(TREE)


def test_what_is_asked(stub: Stub, connect: Connect) -> None:
    Toy(values=everywhere("ds1", "ds2")).on(stub)
    source = data_values(connect(), ["ds1", "ds2"], ["202401", "202402"])
    list(source)
    asked = asked_for_values(stub)
    assert len(asked) == 2 * (1 + 3)
    for one in asked:
        assert one.all("dataSet") == ["ds1", "ds2"]
        assert one.one("includeDeleted") == "true"
        assert one.one("format") == "csv"
        assert "application/csv" in one.headers["Accept"]
        assert len(one.all("period")) == 1
        assert one.one("startDate") is one.one("lastUpdated") is None
    above = [one for one in asked if one.one("children") is None]
    assert [sorted(one.all("orgUnit")) for one in above] == [["p1", "p2", "rw"]] * 2
    assert [stats.slice for stats in source.stats][:2] == [
        "202401 · RW and 2 more alone · 2 data sets",
        "202401 · D1 · 2 data sets",
    ]
    assert all(stats.attempts == 1 and stats.bytes > 0 and "***" not in stats.url for stats in source.stats)


@pytest.mark.parametrize("split_level", [1, 2, 3, 4, 9])
def test_any_split_level_covers_the_tree(stub: Stub, connect: Connect, split_level: int) -> None:
    Toy(values=everywhere("ds1")).on(stub)
    assert units(frame(data_values(connect(), ["ds1"], ["202401"], split_level=split_level))) == EACH


def test_order_does_not_depend_on_which_reply_is_first(stub: Stub, connect: Connect) -> None:
    Toy(values=everywhere("ds1")).on(stub)
    one = frame(data_values(connect(), ["ds1"], ["202401"], concurrency=1))
    assert all(frame(data_values(connect(), ["ds1"], ["202401"], concurrency=4)).equals(one) for _ in range(3))


@pytest.mark.parametrize(
    "fault",
    [
        Answer(b"", "text/html", 504),
        as_csv(HEADER + "\ncut"),
        as_csv(HEADER + "\n", fault="cut"),
    ],
)
@pytest.mark.parametrize("too_many", [1, 2])
def test_a_slice_that_is_too_large_is_halved_until_it_is_not(
    stub: Stub, connect: Connect, fault: Answer, too_many: int, spool_dir: Path
) -> None:
    """The server serves no more than a few units at once, and one data set when they are few."""

    def refuse(asked: Asked) -> Answer | None:
        roots = asked.all("orgUnit")
        whole = asked.one("children") == "true"
        size = sum(any(under(u, r) if whole else u == r for r in roots) for u in TREE) * len(asked.all("dataSet"))
        return fault if asked.path == "/api/dataValueSets" and size > too_many else None

    Toy(values=everywhere("ds1", "ds2"), refuse=refuse).on(stub)
    source = data_values(connect(), ["ds1", "ds2"], ["202401"])
    assert units(frame(source)) == Counter(dict.fromkeys(TREE, 2))
    assert max(Counter(str(asked.params) for asked in asked_for_values(stub)).values()) == 2
    assert list(spool_dir.iterdir()) == []


def test_a_slice_that_cannot_be_halved_fails_and_says_so(stub: Stub, connect: Connect, spool_dir: Path) -> None:
    def refuse(asked: Asked) -> Answer | None:
        return Answer(status=504) if "f2" in asked.all("orgUnit") or "d1" in asked.all("orgUnit") else None

    Toy(values=everywhere("ds1"), refuse=refuse).on(stub)
    with pytest.raises(ServerFault, match=r"HTTP 504.*orgUnit=(f2|d1)"):
        frame(data_values(connect(), ["ds1"], ["202401"]))
    assert list(spool_dir.iterdir()) == []


def test_a_busy_server_is_waited_for_not_halved(stub: Stub, connect: Connect) -> None:
    left = [Answer(status=503)] * 3
    toy = Toy(values=everywhere("ds1")).on(stub)
    toy.refuse = lambda asked: left.pop() if left and asked.path == "/api/dataValueSets" else None
    source = data_values(connect(), ["ds1"], ["202401"], concurrency=1)
    assert units(frame(source)) == EACH
    assert [stats.attempts for stats in source.stats] == [4, 1, 1, 1]


def test_a_refused_query_is_neither_retried_nor_halved(stub: Stub, connect: Connect) -> None:
    refused = Answer(dumped({"errorCode": "E2012", "message": "Org unit outside"}), status=409)
    toy = Toy(values=everywhere("ds1")).on(stub)
    toy.refuse = lambda asked: refused if asked.one("orgUnit") == "d1" else None
    with pytest.raises(QueryRefused) as caught:
        frame(data_values(connect(), ["ds1"], ["202401"]))
    assert caught.value.error_code == "E2012"
    assert len([asked for asked in asked_for_values(stub) if asked.one("orgUnit") == "d1"]) == 1


def test_leaving_early_leaves_nothing_behind(stub: Stub, connect: Connect, spool_dir: Path) -> None:
    Toy(values=everywhere("ds1")).on(stub)
    batches = iter(data_values(connect(), ["ds1"], ["202401"]))
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert list(spool_dir.iterdir()) == []


def test_few_bodies_lie_on_disk_at_once(stub: Stub, connect: Connect, spool_dir: Path) -> None:
    Toy(values=everywhere("ds1")).on(stub)
    source = data_values(connect(), ["ds1"], [f"2024{month:02}" for month in range(1, 13)], concurrency=2)
    stub_values = everywhere("ds1")
    Toy(values=[v for m in range(1, 13) for v in everywhere("ds1", period=f"2024{m:02}")]).on(stub)
    most = max(len(list(spool_dir.iterdir())) for _ in source)
    assert most <= 3
    assert sum(stats.rows for stats in source.stats) == 12 * len(stub_values)


HOISTED = {
    "dataSet": "ds1",
    "period": "202401",
    "orgUnit": "f1",
    "dataValues": [{"dataElement": "de", "categoryOptionCombo": "coc", "value": "5", "deleted": True}],
    "attributeOptionCombo": "aoc",
}


def test_keys_that_the_root_says_once_are_inherited(stub: Stub, connect: Connect) -> None:
    toy = Toy("2.43.1").on(stub)
    toy.refuse = lambda a: Answer(dumped(HOISTED)) if a.path == "/api/dataValueSets" else None
    found = frame(data_values(connect(), ["ds1"], ["202401"], split_level=1, wire="json"))
    assert found.select(COLUMNS[:6]).rows() == [("de", "202401", "f1", "coc", "aoc", "5")]
    assert found["deleted"].to_list() == ["true"]


def test_json_is_read_where_the_server_sends_no_csv(stub: Stub, connect: Connect) -> None:
    toy = Toy("2.43.1").on(stub)
    toy.refuse = lambda a: Answer(dumped(HOISTED)) if a.path == "/api/dataValueSets" else None
    assert units(frame(data_values(connect(), ["ds1"], ["202401"], split_level=1))) == {"f1": 1}


def test_a_json_row_that_is_none_is_rejected(stub: Stub, connect: Connect) -> None:
    toy = Toy().on(stub)
    body = dumped({"dataValues": [7, {"dataElement": "de", "comment": "", "odd": 1}]})
    toy.refuse = lambda a: Answer(body) if a.path == "/api/dataValueSets" else None
    source = data_values(connect(), ["ds1"], ["202401"], split_level=1, wire="json")
    (batch,) = list(source)
    assert batch.rejects is not None
    assert batch.rejects.rows() == [("7", "not_an_object", "a row must be a JSON object", None)]
    assert batch.frame["comment"].to_list() == [None]
    assert source.stats[0].rows == 2


@pytest.mark.parametrize(
    ("version", "body", "fine"),
    [
        ("2.40.1", b"", True),
        ("2.43.1", b"", False),
        ("2.40.1", b"{}", True),
        ("2.43.1", b'{"dataValues":[]}', True),
    ],
)
def test_no_rows_in_json(stub: Stub, connect: Connect, version: str, body: bytes, fine: bool) -> None:
    toy = Toy(version).on(stub)
    toy.refuse = lambda a: Answer(body) if a.path == "/api/dataValueSets" else None
    source = data_values(connect(), ["ds1"], ["202401"], split_level=1, wire="json")
    if fine:
        assert frame(source).height == 0
        assert source.stats[0].rows == 0
    else:
        with pytest.raises(TruncatedBody):
            frame(source)


def test_an_error_report_under_status_200_is_no_data(stub: Stub, connect: Connect) -> None:
    toy = Toy().on(stub)
    body = dumped({"httpStatus": "Conflict", "status": "ERROR"})
    toy.refuse = lambda a: Answer(body) if a.path == "/api/dataValueSets" else None
    with pytest.raises(UnexpectedContent, match="dataValues"):
        frame(data_values(connect(), ["ds1"], ["202401"], wire="json"))


def test_the_documentations_header_is_refused_and_new_columns_are_noted(stub: Stub, connect: Connect) -> None:
    toy = Toy().on(stub)
    documented = HEADER.replace("categoryoptioncombo", "catoptcombo")
    toy.refuse = lambda a: as_csv(documented + "\n") if a.path == "/api/dataValueSets" else None
    with pytest.raises(WrongColumns, match="no column categoryoptioncombo"):
        frame(data_values(connect(), ["ds1"], ["202401"]))
    toy.refuse = lambda a: as_csv(HEADER + ",created\n") if a.path == "/api/dataValueSets" else None
    source = data_values(connect(), ["ds1"], ["202401"])
    assert frame(source).height == 0
    assert source.unknown_columns == ("created",)


def test_an_account_that_sees_no_root_is_refused(stub: Stub, connect: Connect) -> None:
    toy = Toy().on(stub)
    toy.refuse = lambda a: Answer(dumped({"organisationUnits": []})) if "Units" in a.path else None
    with pytest.raises(UnexpectedContent, match="no organisation unit"):
        frame(data_values(connect(), ["ds1"], ["202401"]))


@pytest.mark.parametrize("units_sent", [[{"name": "no id"}], [{"id": "a"}], [{"id": "a", "level": 7}], None])
def test_a_tree_that_is_none_is_refused(stub: Stub, connect: Connect, units_sent: Any) -> None:
    toy = Toy().on(stub)
    toy.refuse = lambda a: Answer(dumped({"organisationUnits": units_sent})) if "Units" in a.path else None
    with pytest.raises(UnexpectedContent, match="units"):
        frame(data_values(connect(), ["ds1"], ["202401"]))


def test_one_401_stops_the_whole_pull(stub: Stub, connect: Connect) -> None:
    stub.in_turn(Answer(status=401))
    with pytest.raises(Exception, match="refused"):
        frame(data_values(connect(), ["ds1"], ["202401"], concurrency=4))
    assert len(stub.asked) == 1


NAMES = [OrgUnit(id_, id_, sum(c.isdigit() for c in id_)) for id_ in TREE]


@given(st.integers(0, 10), st.integers(1, 4))
def test_halves_cover_exactly_what_was_halved(depth: int, data_sets: int) -> None:
    def cells(one: Slice) -> Counter[tuple[str, str]]:
        roots = [u.id for u in one.org_units]
        return Counter(
            (d, u) for d in one.data_sets for u in TREE for r in roots if (under(u, r) if one.children else u == r)
        )

    def below(unit: OrgUnit) -> list[OrgUnit]:
        return [u for u in NAMES if TREE[u.id] == unit.id]

    whole = Slice(tuple(f"s{n}" for n in range(data_sets)), (OrgUnit("rw", "rw", 1),), True, period="2024")
    parts = [whole]
    for _ in range(depth):
        parts = [p for part in parts for p in (divide(part, below) or (part,))]
    assert sum((cells(part) for part in parts), Counter()) == cells(whole)


def test_a_slice_has_a_period_or_a_window_and_never_both() -> None:
    unit = (OrgUnit("a", "a", 1),)
    with pytest.raises(ValueError, match="either"):
        Slice(("d",), unit, True)
    with pytest.raises(ValueError, match="names"):
        Slice((), unit, True, period="2024")
    assert plan([], [], [], 3) == []
