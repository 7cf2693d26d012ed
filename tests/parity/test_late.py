"""What changed between the two readings is late, not different; and what deletions look like from either side."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from pg_servers import rows

from hic_assets.systems.declare import Pipeline
from hic_assets.warehouse import Warehouse
from parity.builders import (
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
    records,
    without,
)

BETWEEN = READ + timedelta(hours=1)
OTHER = {LEGACY: UNIFIED, UNIFIED: LEGACY}
SIDES = pytest.mark.parametrize("later", [LEGACY, UNIFIED], ids=lambda s: f"{s}-read-later")


def read_twice(
    warehouse: Warehouse, later: Pipeline, new: Iterable[Record], old: Iterable[Record] | None = None
) -> dict[str, int]:
    """What is found when ``later`` was read two hours after the other side, and holds these rows."""
    hold(warehouse, OTHER[later], records(20) if old is None else list(old), read_at=READ)
    hold(warehouse, later, list(new), read_at=LATER)
    return found(compared(warehouse))


class TestChangedSince:
    @SIDES
    def test_an_edit(self, tracker: Warehouse, later: Pipeline) -> None:
        assert read_twice(tracker, later, changed(records(20), [3], status="ACTIVE", updated_at=BETWEEN)) == {"late": 1}
        result = compared(tracker)
        assert result.differences == 0 and result.within(0) and result.by_field == {}
        shown = rows(tracker, "select class, record, field from ops.parity_difference order by field")
        assert shown == [("late", "event000003", "status"), ("late", "event000003", "updated_at")]

    @SIDES
    def test_a_new_record(self, tracker: Warehouse, later: Pipeline) -> None:
        assert read_twice(tracker, later, [*records(20), event(77, updated_at=BETWEEN)]) == {"late": 1}

    @SIDES
    def test_a_deletion(self, tracker: Warehouse, later: Pipeline) -> None:
        assert read_twice(tracker, later, changed(records(20), [3], deleted="true", updated_at=BETWEEN)) == {"late": 1}

    @SIDES
    def test_a_change_at_the_very_moment_of_reading(self, tracker: Warehouse, later: Pipeline) -> None:
        assert read_twice(tracker, later, changed(records(20), [3], status="ACTIVE", updated_at=READ)) == {"late": 1}

    @SIDES
    def test_a_record_that_moved_to_another_week(self, tracker: Warehouse, later: Pipeline) -> None:
        before = WEEK - timedelta(days=7)
        hold(tracker, OTHER[later], [], partition=before, read_at=READ)
        hold(tracker, later, [event(3, updated_at=BETWEEN)], partition=before, read_at=LATER)
        assert read_twice(tracker, later, without(records(20), [3])) == {"late": 1}
        assert found(compared(tracker, partition=before)) == {"late": 1}


class TestNotSince:
    @SIDES
    def test_an_old_version_on_the_side_that_was_read_later(self, tracker: Warehouse, later: Pipeline) -> None:
        old = changed(records(20), [3], status="ACTIVE", updated_at=event(3)["updated_at"] - timedelta(days=1))
        assert read_twice(tracker, later, old) == {"value_differs": 1}

    @SIDES
    def test_other_values_of_the_same_version(self, tracker: Warehouse, later: Pipeline) -> None:
        rows_ = changed(records(20), [3], updated_at=BETWEEN)
        assert read_twice(tracker, later, changed(rows_, [3], status="ACTIVE"), rows_) == {"value_differs": 1}

    @SIDES
    def test_what_the_later_reading_lost(self, tracker: Warehouse, later: Pipeline) -> None:
        missing = f"missing_in_{later.value}"
        assert read_twice(tracker, later, without(records(20), [3])) == {missing: 1}

    @pytest.mark.parametrize("unknown", [LEGACY, UNIFIED])
    def test_nothing_is_late_to_a_reading_of_unknown_time(self, tracker: Warehouse, unknown: Pipeline) -> None:
        hold(tracker, unknown, records(20), read_at=None)
        hold(tracker, OTHER[unknown], changed(records(20), [3], status="ACTIVE", updated_at=BETWEEN), read_at=LATER)
        assert found(compared(tracker)) == {"value_differs": 1}


class TestDeletions:
    @SIDES
    def test_a_tombstone_on_one_side_only(self, tracker: Warehouse, later: Pipeline) -> None:
        assert read_twice(tracker, later, changed(records(20), [3], deleted="true")) == {f"deleted_in_{later.value}": 1}
        assert read_twice(tracker, later, records(20), changed(records(20), [3], deleted="true")) == {
            f"deleted_in_{OTHER[later].value}": 1
        }

    @SIDES
    def test_of_what_is_deleted_on_both_sides_nothing_else_is_compared(
        self, tracker: Warehouse, later: Pipeline
    ) -> None:
        gone = changed(records(20), [3, 4], deleted="true")
        assert read_twice(tracker, later, changed(gone, [3], data_values=None, status="ACTIVE"), gone) == {}
        assert compared(tracker).rules == {"renamed": 20, "both_deleted": 1}

    @SIDES
    def test_a_tombstone_that_the_side_read_first_should_have_had(self, tracker: Warehouse, later: Pipeline) -> None:
        gone = changed(records(20), [3], deleted="true")
        assert read_twice(tracker, later, gone, without(gone, [3])) == {f"deleted_in_{later.value}": 1}

    @SIDES
    def test_a_tombstone_that_was_erased_before_the_later_reading(self, tracker: Warehouse, later: Pipeline) -> None:
        gone = changed(records(20), [3, 4], deleted="true")
        assert read_twice(tracker, later, without(gone, [3, 4]), gone) == {}
        result = compared(tracker)
        assert result.rules == {"renamed": 18, "purged_tombstone": 2} and result.matched == 18

    @SIDES
    def test_a_tombstone_lost_while_an_older_one_is_there(self, tracker: Warehouse, later: Pipeline) -> None:
        gone = changed(records(20), [3, 4], deleted="true")
        assert read_twice(tracker, later, without(gone, [3]), gone) == {f"deleted_in_{OTHER[later].value}": 1}

    @SIDES
    def test_an_older_tombstone_in_another_week_tells_as_much(self, tracker: Warehouse, later: Pipeline) -> None:
        before = WEEK - timedelta(days=7)
        hold(tracker, later, [event(90, deleted="true")], partition=before, read_at=LATER)
        gone = changed(records(20), [3], deleted="true")
        assert read_twice(tracker, later, without(gone, [3]), gone) == {f"deleted_in_{OTHER[later].value}": 1}
        hold(tracker, later, [event(90, deleted="true")], partition=before, read_at=READ - timedelta(days=1))
        assert found(compared(tracker)) == {}, "read before the erasure, it tells nothing"

    @SIDES
    def test_a_tombstone_here_and_alive_in_another_week(self, tracker: Warehouse, later: Pipeline) -> None:
        before = WEEK - timedelta(days=7)
        hold(tracker, later, [event(3)], partition=before, read_at=LATER)
        gone = changed(records(20), [3], deleted="true")
        assert read_twice(tracker, later, without(gone, [3]), gone) == {f"deleted_in_{OTHER[later].value}": 1}


@pytest.mark.parametrize("clock", [datetime.max.replace(year=2200, tzinfo=READ.tzinfo), READ - timedelta(days=3650)])
def test_only_the_servers_clock_counts(tracker: Warehouse, clock: datetime) -> None:
    """When our loads began and ended is of no account."""
    read_twice(tracker, UNIFIED, changed(records(20), [3], status="ACTIVE", updated_at=BETWEEN))
    rows(tracker, "update ops.load set started_at = %s, finished_at = %s", (clock, clock))
    assert found(compared(tracker)) == {"late": 1}


def test_a_person_who_was_enrolled_again_is_late_in_the_new_week(tracker: Warehouse) -> None:
    from parity.builders import person

    before = WEEK - timedelta(days=7)
    for side in (LEGACY, UNIFIED):
        hold(tracker, side, [person(1)], TE, partition=before)
    hold(tracker, LEGACY, [], TE)
    hold(tracker, UNIFIED, [person(1, updated_at=BETWEEN)], TE, read_at=LATER)
    assert found(compared(tracker, TE)) == {"late": 1}
