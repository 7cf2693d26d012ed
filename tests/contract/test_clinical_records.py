"""The five REST systems as they are declared: every record and every member arrives as the contract writes it.

Over HTTP against the sandbox. What should come is read by hand (`clinical_country`) and by the contracts
(`clinical_contracts`), never by the mappings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from clinical_contracts import RESOURCES, WORDS, Told, column_of, leaves, snake
from clinical_country import TODAY, WINDOWS, ByHand, Rest, day, declared, milliseconds, row_of, sources, truth
from polars.testing import assert_frame_equal

from hic_assets.assets.readers import open_session, open_source
from hic_assets.extract.rest.changes import changes_since
from hic_assets.extract.rest.client import RestSource
from hic_assets.extract.rest.paging import Export
from hic_assets.extract.rest.read import records
from hic_assets.extract.rest.resource import Resource
from hic_assets.landing.contract import CheckContext, check
from hic_assets.landing.land import LoadResult, land
from hic_assets.landing.table import Layout
from hic_assets.partitions import landing_partition
from hic_assets.prepare import prepare
from hic_assets.sandbox import Sandbox, World, running_sandbox
from hic_assets.sensors.rest import changed
from hic_assets.systems import SYSTEMS
from hic_assets.systems.declare import Feed, System
from hic_assets.systems.national import national_systems
from hic_assets.warehouse import Warehouse

EACH = pytest.mark.parametrize("told", RESOURCES, ids=str)
REST = [system for system in SYSTEMS if system.api]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(world=World(scale=0.01, today=TODAY)) as running:
        yield running


@pytest.fixture(scope="module")
def opened(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Rest:
    return sources(sandbox, tmp_path_factory.mktemp("spool"))


def resource_of(told: Told) -> Resource:
    resource = declared(told)[1].resource
    assert resource is not None
    return resource


def window(told: Told, which: int = 0) -> tuple[date, date]:
    return WINDOWS[declared(told)[1].cadence.value][which]


def read(source: RestSource, resource: Resource, start: date, end: date) -> tuple[pl.DataFrame, int]:
    """The rows of a window and the pages they came in. Nothing is refused, and nothing unknown."""
    stream = records(source, resource, start, end)
    batches = list(stream)
    assert [batch.rejects for batch in batches if batch.rejects is not None] == []
    assert stream.unknown_columns == ()
    return pl.concat([batch.frame for batch in batches]), len(stream.stats)


def in_pages(resource: Resource, size: int) -> Resource:
    """As declared, but for the size of a page; an export has none."""
    if isinstance(resource.paging, Export):
        return resource
    return replace(resource, paging=replace(resource.paging, page_size=size))  # type: ignore[type-var]


# ---- declarations


def test_every_resource_of_records_is_a_table() -> None:
    feeds = [feed for system in REST for feed in system.feeds if feed.resource and not feed.resource.is_whole]
    assert {feed.table.relation for feed in feeds} == {f"{told.system}_{told.name}" for told in RESOURCES}
    assert [system.name for system in REST] == ["efiche", "hpemr", "ebuzima", "cemr", "idsr"]
    cadences = {system.name: {feed.cadence.value for feed in system.feeds} for system in REST}
    assert cadences == {
        "efiche": {"monthly", "snapshot"}, "hpemr": {"monthly", "snapshot"}, "cemr": {"monthly"},
        "ebuzima": {"weekly"}, "idsr": {"weekly", "snapshot"},
    }  # fmt: skip


def test_the_country_has_eleven_systems_and_surveillance_two_paths() -> None:
    country = {national.name: national for national in national_systems(SYSTEMS)}
    assert len(country) == 11
    assert {feed.table.relation for feed in country["idsr"].feeds} == {
        "idsr_notifications", "idsr_cases", "idsr_diseases", "hmis_weekly_values", "hmis_weekly_registrations",
    }  # fmt: skip


@EACH
def test_a_table_has_one_key_a_change_time_and_tells_what_is_deleted(told: Told) -> None:
    table = declared(told)[1].table
    assert table.keys == (told.key,)
    assert (table.updated_column, table.deleted_column, table.layout) == ("updated_at", "deleted", Layout.INDEXED)
    deleted = next(column for column in table.columns if column.name == "deleted")
    flagged = resource_of(told).member("deleted")
    assert deleted.allowed == {"true", "false"} or flagged.true_when
    assert all(column.description.endswith(".") for column in table.columns)
    assert len({column.name for column in table.columns}) == len(table.columns)


@EACH
def test_columns_are_those_of_the_contract_and_hold_what_it_promises(told: Told) -> None:
    table = declared(told)[1].table
    told_of = {column_of(told, leaf.path): leaf for leaf in leaves(told)}
    columns = {column.name: column for column in table.columns}
    assert set(columns) == set(told_of) | {"deleted"}
    # By its words a tombstone of a stock card may lack the month, by its schema not.
    promised = {name for name, leaf in told_of.items() if leaf.promised} - {"month"}
    assert {name for name, column in columns.items() if column.must_be_present} == promised
    assert {name: column.allowed for name, column in columns.items() if column.allowed} == {
        name: leaf.enum for name, leaf in told_of.items() if leaf.enum
    }
    assert {name for name, column in columns.items() if column.json} == {n for n, f in told_of.items() if f.is_json}


@EACH
def test_what_identifies_a_person_is_marked(told: Told) -> None:
    columns = {column.name: column for column in declared(told)[1].table.columns}
    due = {}
    for leaf in leaves(told):
        names = {snake(leaf.path.rpartition(".")[2])} | leaf.items
        if found := {WORDS[name] for name in names & WORDS.keys()}:
            due[column_of(told, leaf.path)] = found
    for name, why in due.items():
        assert {columns[name].sensitive} == why, name
    others = {column.sensitive for name, column in columns.items() if name not in due} - {None}
    assert others <= {"health data of a person"}
    # Of an antenatal contact only the number of the woman at the facility is told.
    nobodys = told.name in ("stock_movements", "stock_balances", "notifications")
    assert bool(due) == (not nobodys and told.name != "anc_contacts")
    assert bool(others) == (not nobodys and told.name not in ("patients", "lab_orders"))


# ---- records


@EACH
@pytest.mark.parametrize("which", [0, 1])
def test_every_member_of_every_record_arrives(told: Told, which: int, sandbox: Sandbox, opened: Rest) -> None:
    system, feed = declared(told)
    start, end = window(told, which)
    store = sandbox.clinical[told.system].store
    before = truth(sandbox, told, start, end)
    if which and not before["deleted"].any():
        store.delete(told.stored, before["id"][0])
    with opened.rest(system) as source:
        frame, _ = read(source, resource_of(told), start, end)
        size = min(-(-frame.height // 4), 150)
        again, pages = read(source, in_pages(resource_of(told), size), start, end)
    assert pages == (1 if told.system == "cemr" else -(-frame.height // size))
    assert_frame_equal(frame, again, check_row_order=False)

    by_hand = [row_of(told, record) for record in ByHand(sandbox).records(told, start, end)]
    expected = pl.DataFrame(by_hand, schema=dict.fromkeys(feed.table.column_names, pl.String))
    assert_frame_equal(frame.sort(told.key), expected.sort(told.key))

    real = truth(sandbox, told, start, end)
    assert frame[told.key].sort().to_list() == real["id"].sort().to_list()
    days = pl.Series("day", [day(told, text) for text in frame[told.day]], dtype=pl.Date)
    moments = frame["updated_at"].str.to_datetime("%Y-%m-%dT%H:%M:%S%.6f%z", time_unit="us", time_zone="UTC")
    arrived = frame.select(pl.col(told.key).alias("id"), days, moments, pl.col("deleted") == "true")
    assert_frame_equal(arrived.sort("id"), real.sort("id"), check_dtypes=True)
    assert len(frame) > 10 and (not which or frame["deleted"].to_list().count("true"))

    checked = check(frame, feed.table, CheckContext())
    assert checked.bad.is_empty() and checked.good.height == frame.height


def test_a_week_may_be_the_53rd() -> None:
    start, end = WINDOWS["weekly"][0]
    assert start.isocalendar()[:2] == (2026, 53) and end.isocalendar()[:2] == (2027, 1)


@EACH
def test_a_record_whose_day_is_no_day_is_refused_and_the_others_arrive(
    told: Told, sandbox: Sandbox, opened: Rest
) -> None:
    start, end = window(told)
    sandbox.faults.set("bad_values", path=f"/{told.system}/", rows=2)
    try:
        with opened.rest(declared(told)[0]) as source:
            batches = list(records(source, resource_of(told), start, end))
    finally:
        sandbox.faults.clear()
    rejects = pl.concat([batch.rejects for batch in batches if batch.rejects is not None])
    assert rejects["rule"].unique().to_list() == ["not_a_date"]
    assert rejects["line"].str.json_path_match(f"$.{told.day}").unique().to_list() == ["douze"]
    assert rejects.height == 2 * (len(batches) if told.system != "cemr" else 1)
    rows = sum(batch.frame.height for batch in batches)
    assert rows + rejects.height == truth(sandbox, told, start, end).height


# ---- changes


@dataclass(frozen=True)
class Made:
    """What was changed in a window: the records that were edited, deleted and typed in late, and their days."""

    edited: tuple[str, date]
    deleted: tuple[str, date]
    late: tuple[str, date]


def change(sandbox: Sandbox, told: Told, start: date, end: date) -> Made:
    """Edit a record of these days, delete one, and type one in late."""
    store = sandbox.clinical[told.system].store
    alive = truth(sandbox, told, start, end).filter(~pl.col("deleted"))
    edited, deleted = alive.row(3, named=True), alive.row(5, named=True)
    rows = store.records(told.stored)
    column = store.system.resource(told.stored).editable[0]
    now = rows.row(by_predicate=pl.col("id") == edited["id"], named=True)[column]
    other = next(value for value in rows[column].to_list() if value is not None and value != now)
    store.edit(told.stored, edited["id"], {column: other})
    store.delete(told.stored, deleted["id"])
    (late,) = store.add_late(told.stored, 1, begin=milliseconds(start), end=milliseconds(end))
    days = dict(truth(sandbox, told, start, end).select("id", "day").iter_rows())
    return Made((edited["id"], edited["day"]), (deleted["id"], deleted["day"]), (late, days[late]))


@EACH
def test_an_edit_a_deletion_and_a_late_record_are_seen_with_their_days(
    told: Told, sandbox: Sandbox, opened: Rest
) -> None:
    system, _ = declared(told)
    since = sandbox.world.now
    sandbox.world.advance(minutes=5)
    made = change(sandbox, told, *window(told))
    with opened.rest(system) as source:
        changes = changes_since(source, resource_of(told), since)
        again = changes_since(source, resource_of(told), changes.watermark)
    real = truth(sandbox, told).filter(pl.col("updated_at") > since)
    assert changes.unreadable == 0
    expected = real.group_by("day").agg(pl.len().cast(pl.Int64).alias("records"), pl.col("updated_at").max())
    assert_frame_equal(changes.days(since), expected.sort("day"))
    found = {row["key"]: row for row in changes.frame.rename({told.key: "key"}).iter_rows(named=True)}
    for (one, happened), deleted in ((made.edited, False), (made.deleted, True), (made.late, False)):
        assert (found[one]["day"], found[one]["deleted"]) == (happened, deleted)
        assert happened in changes.days(since)["day"]
    # The watermark is the server's own, and nothing is newer than it.
    assert changes.watermark == real["updated_at"].max()
    assert again.days(changes.watermark).is_empty()


# ---- landing


def load(system: System, feed: Feed, start: date, warehouse: Warehouse, opened: Rest) -> LoadResult:
    """Land one partition as the asset does."""
    partition = landing_partition(feed.cadence, start.isoformat())
    with open_session(system, warehouse, opened) as session:
        source = open_source(system, feed, partition, session, warehouse, opened)
        return land(warehouse, feed.table, partition, source.batches, source=source.url)


def held(warehouse: Warehouse, feed: Feed) -> pl.DataFrame:
    """What the raw table holds: as `truth`."""
    (key,) = feed.table.keys
    with warehouse.connect() as connection:
        found = connection.execute(
            f"select {key}, _source_updated_at, deleted from raw.{feed.table.relation} order by 1".encode()
        ).fetchall()
    schema: dict[str, Any] = {"id": pl.String, "updated_at": pl.Datetime("us", "UTC"), "deleted": pl.String}
    frame = pl.DataFrame(found, schema=schema, orient="row")
    return frame.with_columns(pl.col("deleted") == "true").sort("id")


@pytest.mark.parametrize("system", REST, ids=lambda system: system.name)
def test_a_window_lands_whole_twice_the_same_and_is_stale_once_changed(
    system: System, sandbox: Sandbox, opened: Rest, warehouse: Warehouse
) -> None:
    with warehouse.connect(autocommit=True) as connection:
        prepare(connection)
    for told in (one for one in RESOURCES if one.system == system.name):
        feed = system.feed(told.name)
        start, end = window(told)
        real = truth(sandbox, told, start, end)
        first, second = (load(system, feed, start, warehouse, opened) for _ in range(2))
        assert (first.counts.read, first.counts.landed) == (real.height, real.height)
        assert (first.counts.quarantined, first.counts.duplicates) == (0, 0)
        assert (first.unchanged, second.unchanged) == (False, True)

        since = sandbox.world.now
        sandbox.world.advance(minutes=5)
        change(sandbox, told, start, end)
        with opened.rest(system) as source:
            assert changed(warehouse, source, feed, since).stale[0].partition == start
            assert load(system, feed, start, warehouse, opened).unchanged is False
            assert changed(warehouse, source, feed, since).stale == []
        after = truth(sandbox, told, start, end).drop("day")
        assert_frame_equal(held(warehouse, feed), after.sort("id"))
