"""The comparison on real PostgreSQL: what is put into one side only is found, in its class, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl
import pytest
from pg_servers import rows

from hic_assets.extract.batches import Batch, BatchStream, SliceStats
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.landing.ddl import create_raw_table
from hic_assets.landing.land import land
from hic_assets.landing.ledger import Partition
from hic_assets.parity.compare import compare, compare_all
from hic_assets.parity.differences import NotCompared
from hic_assets.systems.declare import Pipeline
from hic_assets.systems.hiv_tracker import HIV_TRACKER
from hic_assets.systems.hmis import HMIS
from hic_assets.warehouse import Warehouse
from parity.builders import (
    EVENTS,
    HIV,
    LATER,
    LEGACY,
    READ,
    TE,
    UNIFIED,
    WEEK,
    Record,
    changed,
    compared,
    event,
    found,
    hold,
    prepare,
    records,
    valued,
    without,
)

OTHER = {LEGACY: UNIFIED, UNIFIED: LEGACY}
SIDES = pytest.mark.parametrize("side", [LEGACY, UNIFIED])


def both(warehouse: Warehouse, kind: Kind, side: Pipeline, rows_: list[Record], count: int = 60) -> None:
    """``side`` holds these rows, the other one the good ones."""
    hold(warehouse, side, rows_, kind)
    hold(warehouse, OTHER[side], records(count, kind), kind)


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_the_same_agrees_on_both_servers(warehouse_on_both: Warehouse, kind: Kind) -> None:
    prepare(warehouse_on_both)
    both(warehouse_on_both, kind, LEGACY, list(reversed(records(60, kind))))
    result = compared(warehouse_on_both, kind)
    assert found(result) == {} and result.differences == 0 and result.words == "no difference"
    assert (result.legacy_rows, result.unified_rows, result.matched) == (60, 60, 60)
    assert result.rules == {"renamed": 60}
    assert result.patterns is None


@dataclass(frozen=True)
class Injected:
    """A difference of one side: what it does to the rows, the classes it must be in, its fields, words of the pattern."""

    name: str
    does: Callable[[list[Record]], list[Record]]
    classes: dict[str, int]
    by_field: dict[str, int] = field(default_factory=dict)
    pattern: str = ""
    kind: Kind = EVENTS


FEW = [3, 14, 25, 36]
ZONE = "T00:00:00.000"


def _field(name: str, **changes: object) -> Callable[[list[Record]], list[Record]]:
    return lambda rows_: changed(rows_, FEW, **changes)


def _value(**values: object) -> Callable[[list[Record]], list[Record]]:
    return lambda rows_: valued(rows_, FEW, values)


def _each(name: str, other: Callable[[str], str]) -> Callable[[list[Record]], list[Record]]:
    return lambda rows_: [r | {name: other(r[name])} if i in FEW else r for i, r in enumerate(rows_)]


def _each_value(name: str, other: Callable[[str], str], member: str = "data_values"):
    return lambda rows_: [
        r | {member: r[member] | {name: other(r[member][name])}} if i in FEW else r for i, r in enumerate(rows_)
    ]


def _hour_earlier(text: str) -> str:
    return f"{date.fromisoformat(text[:10]) - timedelta(days=1)}T23:00:00.000"


MISSING, DIFFERS, ONLY = "missing_in_{side}", "value_differs", "missing_in_{other}"
INJECTED = [
    Injected("lost page", lambda r: without(r, range(20, 30)), {MISSING: 10}, pattern="follow on each other by creation"),
    Injected("lost rows here and there", lambda r: without(r, FEW), {MISSING: 4}),
    Injected("list cut off at a page", lambda r: r[:50], {MISSING: 10}, pattern="served exactly 50 rows"),
    Injected("ghost events", lambda r: [*r, event(901), event(902)], {ONLY: 2}),
    Injected("nothing read", lambda r: [], {MISSING: 60}, pattern="{side} holds no row at all."),
    Injected(
        "only one unit read (ouMode)",
        lambda r: [x for x in r if x["org_unit"] == "facil000000"],
        {MISSING: 53},
        pattern="rows of one organisation unit only",
    ),
    Injected(
        "one hour earlier",
        _each("occurred_at", _hour_earlier),
        {DIFFERS: 4},
        {"occurred_at": 4},
        "always 1 hour(s)",
    ),
    Injected(
        "rounded value",
        _each_value("weight00000", lambda v: f"{float(v):.0f}"),
        {DIFFERS: 4},
        {"data_values.weight00000": 4},
        "numbers are rounded in {side}",
    ),
    Injected("trailing zero", _each_value("weight00000", lambda v: f"{v}0"), {DIFFERS: 4}, {"data_values.weight00000": 4}),
    Injected("swapped code", _value(regimen0000="TDF-3TC-EFV"), {DIFFERS: 4}, {"data_values.regimen0000": 4}, "the same one value"),
    Injected("value left out", _value(regimen0000=None), {DIFFERS: 4}, {"data_values.regimen0000": 4}, "no value in {side}"),
    Injected("value added", _value(extra000000="1"), {DIFFERS: 4}, {"data_values.extra000000": 4}, "no value in {other}"),
    Injected("all values left out", _field("", data_values=None), {DIFFERS: 4}, {
        "data_values.weight00000": 4, "data_values.regimen0000": 4, "data_values.remark00000": 4,
    }),
    Injected("truncated text", _each_value("regimen0000", lambda v: v[:5]), {DIFFERS: 4}, {"data_values.regimen0000": 4}, "cut at one length in {side}"),
    Injected("text cut by one", _each_value("remark00000", lambda v: v[:-1]), {DIFFERS: 4}, {"data_values.remark00000": 4}, "the text is cut"),
    Injected("spaces trimmed", _each_value("remark00000", lambda v: v + " "), {DIFFERS: 4}, {"data_values.remark00000": 4}, "cut in {other}"),
    Injected("status changed", _field("", status="ACTIVE"), {DIFFERS: 4}, {"status": 4}),
    Injected("wrong organisation unit", _field("", org_unit="facil000099"), {DIFFERS: 4}, {"org_unit": 4}),
    Injected("other stage", _field("", program_stage="HivStgOther"), {DIFFERS: 4}, {"program_stage": 4}),
    Injected("time of completion cut", _each("completed_at", lambda v: v[:10] + ZONE), {DIFFERS: 4}, {"completed_at": 4}, "time of day is lost in {side}"),
    Injected("completion forgotten", _field("", completed_at=None, completed_by=None), {DIFFERS: 4}, {"completed_at": 4, "completed_by": 4}),
    Injected("follow-up lost", _field("", follow_up="true"), {DIFFERS: 4}, {"follow_up": 4}),
    Injected("deleted on this side", _field("", deleted="true"), {"deleted_in_{side}": 4}),
    Injected("place lost", _field("", geometry='{"type":"Point"}'), {DIFFERS: 4}, {"geometry": 4}),
    Injected("older version", lambda r: [
        x | {"updated_at": x["updated_at"] - timedelta(days=1), "data_values": x["data_values"] | {"weight00000": "1"}} if i in FEW else x
        for i, x in enumerate(r)
    ], {DIFFERS: 4}, {"data_values.weight00000": 4, "updated_at": 4}),
    Injected("attribute mangled", _each_value("name0000000", lambda v: v.encode().decode("cp1252"), "attributes"), {DIFFERS: 4}, {"attributes.name0000000": 4}, "encoding is mangled in {side}", kind=TE),
    Injected("attribute lost a zero", _each_value("nationalid0", lambda v: v.lstrip("1"), "attributes"), {DIFFERS: 4}, {"attributes.nationalid0": 4}, kind=TE),
    Injected(
        "day and month swapped",
        _each_value("birthdate00", lambda v: f"{v[:4]}-{v[8:]}-{v[5:7]}", "attributes"),
        {DIFFERS: 4},
        {"attributes.birthdate00": 4},
        "day and month are swapped",
        TE,
    ),
    Injected("marked inactive", lambda r: changed(r, FEW, inactive="true"), {DIFFERS: 4}, {"inactive": 4}, kind=TE),
    Injected("lost enrolment", lambda r: without(r, FEW), {MISSING: 4}, kind=Kind.ENROLLMENTS),
    Injected("enrolment's status", lambda r: changed(r, FEW, status="CANCELLED"), {DIFFERS: 4}, {"status": 4}, kind=Kind.ENROLLMENTS),
]  # fmt: skip


@SIDES
@pytest.mark.parametrize("injected", INJECTED, ids=lambda i: i.name)
def test_each_difference_is_found_in_its_class_and_field(
    tracker: Warehouse, injected: Injected, side: Pipeline
) -> None:
    names = {"side": side.value, "other": OTHER[side].value}
    both(tracker, injected.kind, side, injected.does(records(60, injected.kind)))
    result = compared(tracker, injected.kind)
    assert found(result) == {name.format(**names): n for name, n in injected.classes.items()}
    assert result.by_field == injected.by_field
    assert injected.pattern.format(**names) in (result.patterns or "")
    assert result.matched == 60 - sum(n for name, n in injected.classes.items() if name != ONLY)


@SIDES
def test_a_record_of_another_day_is_found_where_it_is(tracker: Warehouse, side: Pipeline) -> None:
    before = WEEK - timedelta(days=7)
    moved = [event(i) | {"occurred_at": f"{before}T23:00:00.000"} for i in range(3)]
    both(tracker, EVENTS, side, without(records(60), range(3)))
    hold(tracker, side, moved, partition=before)
    hold(tracker, OTHER[side], [], partition=before)
    assert found(compared(tracker)) == {"other_partition": 3}
    assert found(compared(tracker, partition=before)) == {"other_partition": 3}
    where = "select record, d.other_partition from ops.parity_difference d join ops.parity using (parity_id) where partition_start = %s"
    assert rows(tracker, where + " order by 1", (WEEK,)) == [(f"event{i:06d}", before) for i in range(3)]


def test_a_record_moved_by_months_is_found_too(tracker: Warehouse) -> None:
    both(tracker, EVENTS, UNIFIED, records(60)[1:])
    hold(tracker, UNIFIED, [event(0)], partition=date(2024, 6, 3))
    assert found(compared(tracker)) == {"other_partition": 1}


def test_a_person_enrolled_twice_is_missing_where_one_enrolment_is(tracker: Warehouse) -> None:
    """That both sides also have her in another week explains nothing."""
    both(tracker, TE, UNIFIED, records(60, TE)[1:])
    before = WEEK - timedelta(days=7)
    for side in (LEGACY, UNIFIED):
        hold(tracker, side, records(1, TE), TE, partition=before)
    assert found(compared(tracker, TE)) == {"missing_in_unified": 1}
    hold(tracker, LEGACY, [], TE, partition=before)
    assert found(compared(tracker, TE)) == {"other_partition": 1}


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (
            ["country0000", "district000"],
            "unified holds rows of units down to level 2 only, all missing ones are below",
        ),
        (["country0000", "facil000009"], "unified lacks all rows of Gasabo and below"),
    ],
)
def test_the_hierarchy_tells_which_units_were_not_asked_for(tracker: Warehouse, kept: list[str], words: str) -> None:
    with tracker.connect() as connection:
        create_raw_table(connection, HMIS.feed("organisation_units").table)
        connection.execute("delete from raw.hmis_organisation_units")
    tree = {"country0000": "", "district000": "/country0000", "district001": "/country0000"}
    tree |= {f"facil00000{i}": "/country0000/district000" for i in range(5)} | {
        "facil000009": "/country0000/district001"
    }
    for unit, above in tree.items():
        rows(
            tracker,
            "insert into raw.hmis_organisation_units (id, path, name, _load_id) values (%s, %s, 'Gasabo', 0)",
            (unit, f"{above}/{unit}"),
        )
    at = [event(i, org_unit=f"facil00000{i % 5}") for i in range(20)] + [
        event(30 + i, org_unit=u) for i, u in enumerate(kept)
    ]
    hold(tracker, LEGACY, at)
    hold(tracker, UNIFIED, at[20:])
    result = compared(tracker)
    assert found(result) == {"missing_in_unified": 20}
    assert words in (result.patterns or "")


@SIDES
def test_rows_served_twice_are_counted(tracker: Warehouse, side: Pipeline) -> None:
    hold(tracker, side, records(60), duplicates=3, refused=["event000077"])
    hold(tracker, OTHER[side], records(60), duplicates=1)
    result = compared(tracker)
    assert found(result) == {"duplicated": 3} and result.matched == 60
    assert rows(tracker, "select class, record from ops.parity_difference") == [("duplicated", "event000077")]


def test_differences_of_several_kinds_are_told_apart(tracker: Warehouse) -> None:
    there = changed(without(records(100), [1, 2]), [50], status="ACTIVE")
    both(tracker, EVENTS, UNIFIED, [*changed(there, [60, 61], deleted="true"), event(500)], count=100)
    result = compared(tracker)
    assert found(result) == {
        "missing_in_unified": 2,
        "missing_in_legacy": 1,
        "value_differs": 1,
        "deleted_in_unified": 2,
    }
    assert (result.differences, result.matched, result.legacy_rows, result.unified_rows) == (6, 95, 100, 99)
    assert not result.within(0.05) and result.within(0.06)


def test_what_is_empty_on_both_sides_agrees(tracker: Warehouse) -> None:
    both(tracker, EVENTS, LEGACY, [], count=0)
    result = compared(tracker)
    assert (found(result), result.matched, result.within(0)) == ({}, 0, True)


def test_a_side_that_is_not_loaded_is_no_difference(tracker: Warehouse) -> None:
    nothing = compare(tracker, HIV, EVENTS, WEEK)
    assert isinstance(nothing, NotCompared)
    assert nothing.reason == "legacy and unified are not loaded"
    hold(tracker, UNIFIED, records(3))
    one = compare(tracker, HIV, EVENTS, WEEK)
    assert isinstance(one, NotCompared) and one.reason == "legacy is not loaded"
    assert rows(tracker, "select count(*) from ops.parity") == [(0,)]


def test_the_result_names_its_loads_and_the_newest_is_current(tracker: Warehouse) -> None:
    legacy = hold(tracker, LEGACY, records(5))
    old = hold(tracker, UNIFIED, records(4))
    first = compared(tracker)
    new = hold(tracker, UNIFIED, records(5), read_at=LATER)
    assert rows(tracker, "select state from ops.parity_state where parity_id is not null") == [("stale",)]
    second = compared(tracker)
    kept = "select parity_id, legacy_load_id, unified_load_id, differences, is_current from ops.parity order by 1"
    assert rows(tracker, kept) == [(first.parity_id, legacy, old, 1, False), (second.parity_id, legacy, new, 0, True)]
    assert rows(tracker, "select count(*) from ops.parity_difference") == [(0,)], "samples only of the current result"
    assert rows(tracker, "select state from ops.parity_state where parity_id is not null") == [("clean",)]


def test_several_comparisons_of_the_same_at_once(tracker: Warehouse) -> None:
    hold(tracker, LEGACY, records(30))
    hold(tracker, UNIFIED, records(29))
    calls = [threading.Thread(target=compared, args=(tracker,)) for _ in range(4)]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert rows(tracker, "select count(*), count(*) filter (where is_current) from ops.parity") == [(4, 1)]
    assert rows(tracker, "select count(*) from ops.parity_difference") == [(1,)]


def test_all_that_has_no_result_of_now_is_compared(tracker: Warehouse) -> None:
    weeks = [WEEK + timedelta(days=7 * i) for i in range(3)]
    for week in weeks:
        for side in (LEGACY, UNIFIED):
            hold(tracker, side, records(3), partition=week)
    hold(tracker, LEGACY, records(3), partition=weeks[2] + timedelta(days=7))
    said: list[str] = []
    assert [r.partition for r in compare_all(tracker, HIV, since=weeks[1], say=said.append)] == weeks[1:]
    assert said == [f"hiv events {week}" for week in weeks[1:]]
    hold(tracker, UNIFIED, records(2), partition=weeks[2])
    assert [(r.partition, r.differences) for r in compare_all(tracker, HIV)] == [(weeks[0], 0), (weeks[2], 1)]
    assert compare_all(tracker, HIV) == []
    assert len(compare_all(tracker, HIV, again=True, until=weeks[1])) == 2


def test_what_landing_lands_is_compared(tracker: Warehouse) -> None:
    """By the real way in: frames of the declared columns, the change time made an instant, the server's clock noted."""
    partition = Partition(WEEK.isoformat(), WEEK, WEEK + timedelta(days=7))
    for side, status in ((LEGACY, "COMPLETED"), (UNIFIED, "ACTIVE")):
        table = HIV_TRACKER.programme_feed(HIV, EVENTS, side).table
        names = {"event": "event000001", "status": status, "deleted": "false", "data_values": '{"a":"1"}'}
        names |= {table.updated_column or "": "2025-03-10T09:00:00.000000+0000"}
        frame = pl.DataFrame(
            {name: [names.get(name)] for name in table.column_names},
            schema=dict.fromkeys(table.column_names, pl.String),
        )
        land(tracker, table, partition, _stream(table.column_names, frame))
    result = compared(tracker)
    assert (found(result), result.by_field) == ({"value_differs": 1}, {"status": 1})
    assert rows(tracker, "select distinct source_read_at from ops.load") == [(READ,)]


def _stream(columns: tuple[str, ...], frame: pl.DataFrame) -> BatchStream:
    def produce(stream: BatchStream) -> Iterator[Batch]:
        stream.read_at = READ
        stream.record(SliceStats("all", "http://source/api", frame.height, 100, 0.1, 1))
        yield Batch(frame, "all")

    return BatchStream("events", columns, produce)
