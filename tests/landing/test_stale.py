"""Which loaded partitions differ from what the source says: one table of events, two loaded weeks, on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from hic_assets.extract.batches import Batch, frame_of, rejects_of
from hic_assets.landing.ddl import create_ops, create_raw_table
from hic_assets.landing.land import land
from hic_assets.landing.ledger import Partition
from hic_assets.landing.stale import Stale, stale_partitions
from hic_assets.systems.hiv_tracker import HIV_TRACKER
from hic_assets.warehouse import Warehouse
from landing.builders import Given

TABLE = HIV_TRACKER.feed("u_events").table
FIRST = Partition("2026-03-02", date(2026, 3, 2), date(2026, 3, 9))
SECOND = Partition("2026-03-09", date(2026, 3, 9), date(2026, 3, 16))
THEN, LATER = "2026-03-10T08:00:00.000", "2026-03-20T08:00:00.000"


def event(uid: str, day: str, updated: str = THEN, deleted: str = "false") -> dict[str, str | None]:
    return {"event": uid, "occurred_at": day, "updated_at": f"{updated}000+0000", "deleted": deleted}


def said(*rows: tuple[str, str, str] | tuple[str, str, str, bool]) -> list[pl.DataFrame]:
    """What the source says: (key, day, updated at, deleted)."""
    records = [
        (key, date.fromisoformat(day), datetime.fromisoformat(at).replace(tzinfo=UTC), bool(rest and rest[0]))
        for key, day, at, *rest in rows
    ]
    schema = {
        "key": pl.String,
        "day": pl.Date,
        "updated_at": pl.Datetime("us", "UTC"),
        "deleted": pl.Boolean,
    }
    return [pl.DataFrame(records, schema=schema, orient="row")]


HELD = (
    ("a", "2026-03-02", THEN),
    ("b", "2026-03-08", THEN),
    ("c", "2026-03-09", THEN),
    ("d", "2026-03-15", THEN, True),
)
WEEKS = (FIRST.start, SECOND.end)


@pytest.fixture
def held(warehouse: Warehouse) -> Warehouse:
    """Two weeks with two events each, one of them a tombstone."""
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
        create_raw_table(connection, TABLE)
    put(warehouse, FIRST, event("a", "2026-03-02"), event("b", "2026-03-08"))
    put(warehouse, SECOND, event("c", "2026-03-09"), event("d", "2026-03-15", deleted="true"))
    return warehouse


def put(warehouse: Warehouse, partition: Partition, *rows: dict[str, str | None], read_at: str | None = None) -> None:
    given = Given(Batch(frame_of(rows, TABLE.column_names), "all"))
    given.read_at = datetime.fromisoformat(read_at).replace(tzinfo=UTC) if read_at else None
    land(warehouse, TABLE, partition, given)


def asked(warehouse: Warehouse, frames: list[pl.DataFrame], window: Any = None) -> dict[str, dict[str, int]]:
    with warehouse.connect() as connection:
        found: list[Stale] = stale_partitions(connection, TABLE, frames, window)
    return {str(stale.partition): stale.why for stale in found}


def test_nothing_is_stale_where_the_source_says_what_is_held(held: Warehouse) -> None:
    assert asked(held, said(*HELD)) == {}
    assert asked(held, said(*HELD), WEEKS) == {}


def test_a_new_record_makes_its_week_stale(held: Warehouse) -> None:
    assert asked(held, said(("new", "2026-03-15", LATER))) == {"2026-03-09": {"missing": 1}}


def test_a_record_of_a_week_that_was_never_loaded_is_left_alone(held: Warehouse) -> None:
    assert asked(held, said(("new", "2026-03-16", LATER), ("old", "2026-03-01", LATER))) == {}


def test_an_edit_makes_its_week_stale_and_an_older_time_does_not(held: Warehouse) -> None:
    assert asked(held, said(("a", "2026-03-02", LATER))) == {"2026-03-02": {"changed": 1}}
    assert asked(held, said(("a", "2026-03-02", "2026-03-10T07:59:59"))) == {}


def test_a_deletion_is_seen_even_where_the_server_did_not_date_it(held: Warehouse) -> None:
    assert asked(held, said(("b", "2026-03-08", THEN, True))) == {"2026-03-02": {"deleted": 1}}
    assert asked(held, said(("d", "2026-03-15", THEN, False))) == {"2026-03-09": {"deleted": 1}}


def test_a_record_that_moved_makes_both_weeks_stale(held: Warehouse) -> None:
    assert asked(held, said(("b", "2026-03-10", LATER))) == {"2026-03-02": {"gone": 1}, "2026-03-09": {"missing": 1}}


def test_keys_not_asked_for_are_not_judged_unless_the_whole_window_was(held: Warehouse) -> None:
    assert asked(held, said(HELD[0])) == {}
    assert asked(held, said(*HELD[:3]), WEEKS) == {"2026-03-09": {"gone": 1}}
    assert asked(held, said(), WEEKS) == {"2026-03-02": {"gone": 2}, "2026-03-09": {"gone": 2}}


def test_a_row_in_quarantine_does_not_make_its_week_stale_for_ever(held: Warehouse) -> None:
    refused = event("e", "2026-03-03", deleted="perhaps")
    put(held, FIRST, event("a", "2026-03-02"), event("b", "2026-03-08"), refused)
    assert asked(held, said(*HELD, ("e", "2026-03-03", THEN)), WEEKS) == {}


def test_a_row_refused_in_the_week_that_lists_it_is_not_missing_in_the_week_it_is_of(held: Warehouse) -> None:
    """Until it is changed again; nor where its own week was read before it was there to be listed."""
    refused, mine = event("e", "2026-03-09", deleted="perhaps"), ("e", "2026-03-09", "2026-03-15T08:00:00")
    missing = {"2026-03-09": {"missing": 1}}
    first, second = (event("a", "2026-03-02"), event("b", "2026-03-08"), refused), (event("c", "2026-03-09"),)
    put(held, FIRST, *first, read_at="2026-03-16T08:00:00")
    put(held, SECOND, *second, read_at="2026-03-14T08:00:00")
    assert asked(held, said(mine)) == missing
    put(held, SECOND, *second, read_at="2026-03-17T08:00:00")
    assert asked(held, said(mine)) == {}
    assert asked(held, said(("e", "2026-03-09", LATER))) == missing
    assert asked(held, said(("f", "2026-03-09", "2026-03-15T08:00:00"))) == missing


def test_a_key_that_stands_beside_a_text_that_was_cut_is_known(held: Warehouse) -> None:
    """As is one of which the text is no JSON; a character that PostgreSQL cannot hold does no harm."""
    rejects = rejects_of([('{"event": "e", "who": "', "shape", "x"), ("?", "odd", "x")], ["e", "\0g"])
    rows_ = [event("a", "2026-03-02"), event("b", "2026-03-08")]
    land(held, TABLE, FIRST, Given(Batch(frame_of(rows_, TABLE.column_names), "all", rejects)))
    assert asked(held, said(("e", "2026-03-03", THEN))) == {}
    assert asked(held, said(("h", "2026-03-03", THEN))) == {"2026-03-02": {"missing": 1}}


@pytest.mark.parametrize(("text", "known"), [('{"uid": {"of": "e"}, "who": 1', False), ('{"uid": {"of": "e"}}', True)])
def test_a_record_refused_as_the_source_wrote_it_is_known_by_its_own_name_of_the_key(
    held: Warehouse, text: str, known: bool
) -> None:
    """What is no JSON at all has no key, and hinders nobody."""
    rejects = rejects_of([(text, "shape", "not as it should be")])
    rows_ = [event("a", "2026-03-02"), event("b", "2026-03-08")]
    land(held, TABLE, FIRST, Given(Batch(frame_of(rows_, TABLE.column_names), "all", rejects)), accept_shrink=True)
    with held.connect() as connection:
        found = stale_partitions(connection, TABLE, said(("e", "2026-03-03", THEN)), source_path=("uid", "of"))
    assert [stale.why for stale in found] == ([] if known else [{"missing": 1}])


def test_nothing_of_the_question_stays_behind(held: Warehouse) -> None:
    with held.connect() as connection:
        for _ in range(2):
            stale_partitions(connection, TABLE, said(*HELD), WEEKS)
        assert connection.execute("select to_regclass('asked')").fetchone() == (None,)
