"""What an asset check is told of a unified table: yes, a warning, a grave no, or that there is nothing to compare with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pg_servers import rows

from hic_assets.checks.questions import Verdict
from hic_assets.parity.cutover import cut_over
from hic_assets.parity.verdict import parity_verdict
from hic_assets.systems.declare import Pipeline, Programme, Trust
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
    changed,
    declare,
    event,
    hold,
    hold_week,
    records,
    trusted,
    valued,
    without,
)

NEXT = WEEK + timedelta(days=7)


def verdict(warehouse: Warehouse, *partitions: object, programme: Programme = HIV) -> Verdict:
    return parity_verdict(warehouse, programme, EVENTS, partitions or (WEEK,))  # type: ignore[arg-type]


def test_agreement(tracker: Warehouse) -> None:
    for side in (LEGACY, UNIFIED):
        hold(tracker, side, records(20))
        hold(tracker, side, records(10), partition=NEXT)
    found = verdict(tracker, WEEK, NEXT)
    assert found.passed and not found.grave
    assert found.words == "2 of 2 partitions agree: no difference."
    assert found.numbers == {"compared": 2, "clean": 2, "legacy_rows": 30, "unified_rows": 30, "matched": 30}
    assert found.rows == []


def test_differences_are_counted_by_class_and_the_first_are_a_table(tracker: Warehouse) -> None:
    hold(tracker, LEGACY, records(20))
    there = valued(without(records(20), [5]), [8, 9], {"weight00000": "7"})
    hold(tracker, UNIFIED, [*there, event(77, updated_at=LATER)], read_at=LATER)
    found = verdict(tracker)
    assert not found.passed and found.grave
    assert (
        found.words
        == "0 of 1 partitions agree: missing_in_unified 1, value_differs 2 (data_values.weight00000 2), late 1 (not counted)."
    )
    assert found.numbers["value_differs"] == 2 and found.numbers["late"] == 1 and "duplicated" not in found.numbers
    first = found.rows[0]
    assert {row["class"] for row in found.rows} == {"missing_in_unified", "value_differs", "late"}
    assert found.rows[-1]["class"] == "late"
    assert first["partition"] == str(WEEK) and first["record"].startswith("event")
    assert "other_partition" not in first, "no empty column"
    assert len({tuple(row) for row in found.rows}) == 1, "a table has one set of columns"


def test_what_is_recognised_is_said(tracker: Warehouse) -> None:
    hold(tracker, LEGACY, records(20))
    hold(tracker, UNIFIED, without(records(20), range(5, 9)))
    assert f"{WEEK}: The 4 rows that unified lacks follow on each other" in verdict(tracker).words


def test_within_the_tolerance_it_is_a_warning(tracker: Warehouse) -> None:
    programme = replace(HIV, trust=Trust(tolerance=0.1))
    declare(tracker, trusted(tolerance=0.1))
    hold(tracker, LEGACY, records(20))
    hold(tracker, UNIFIED, without(records(20), [1, 7]))
    found = verdict(tracker, programme=programme)
    assert not found.passed and not found.grave
    assert found.words.endswith("missing_in_unified 2. All are within the tolerance.")
    hold(tracker, UNIFIED, without(records(20), [1, 5, 7]))
    assert verdict(tracker, programme=programme).grave


def test_only_late_records_are_a_yes(tracker: Warehouse) -> None:
    hold(tracker, LEGACY, records(20))
    hold(tracker, UNIFIED, changed(records(20), [1], status="ACTIVE", updated_at=LATER), read_at=LATER)
    found = verdict(tracker)
    assert found.passed and "late 1 (not counted)" in found.words


def test_it_compares_what_was_loaded_since_and_nothing_twice(tracker: Warehouse) -> None:
    count = "select count(*) from ops.parity"
    for side in (LEGACY, UNIFIED):
        hold(tracker, side, records(5))
    for _ in range(2):
        assert verdict(tracker).passed and rows(tracker, count) == [(1,)]
    hold(tracker, UNIFIED, records(4))
    assert not verdict(tracker).passed and rows(tracker, count) == [(2,)]


@pytest.mark.parametrize(("loaded", "lacking"), [(UNIFIED, "legacy"), (LEGACY, "unified")])
def test_where_no_partition_is_loaded_on_both_sides_it_is_a_warning(
    tracker: Warehouse, loaded: Pipeline, lacking: str
) -> None:
    hold(tracker, loaded, records(5))
    found = verdict(tracker)
    assert not found.passed and not found.grave
    assert found.words == f"Nothing to compare: {lacking} is not loaded in 1 of 1 partitions."


def test_where_a_side_cannot_be_loaded_it_says_why(tracker: Warehouse) -> None:
    hold(tracker, UNIFIED, records(5))
    gone = "EndpointGone: hiv_tracker: DHIS2 2.42.5 has no /api/events any more (removed in 2.42)"
    rows(
        tracker,
        f"""insert into ops.load (system, table_name, partition_key, window_start, window_end, status, error)
            values ('hiv_tracker', 'events', '{NEXT}', '{NEXT}', '{NEXT}', 'failed', 'of another partition'),
                   ('hiv_tracker', 'events', '{WEEK}', '{WEEK}', '{NEXT}', 'failed', '{gone}')""",
    )
    found = verdict(tracker)
    assert not found.passed and not found.grave
    assert found.words == (
        f"Nothing to compare: legacy is not loaded in 1 of 1 partitions. Its latest load failed: {gone}"
    )


def test_where_nothing_was_asked_for_it_is_a_yes(tracker: Warehouse) -> None:
    found = parity_verdict(tracker, HIV, EVENTS, [])
    assert found.passed and found.words == "Nothing to compare: nothing is loaded."


def test_partitions_of_which_one_is_not_loaded(tracker: Warehouse) -> None:
    for side in (LEGACY, UNIFIED):
        hold(tracker, side, records(5))
    hold(tracker, UNIFIED, records(5), partition=NEXT)
    found = verdict(tracker, WEEK, NEXT)
    assert found.passed and found.words.endswith("1 of 2 partitions are not loaded on both sides.")


class TestSignedOff:
    def test_nothing_is_compared(self, tracker: Warehouse) -> None:
        declare(tracker, trusted(clean_partitions=1))
        hold_week(tracker, WEEK)
        count = "select count(*) from ops.parity"
        before = rows(tracker, count)
        signed = cut_over(tracker, "hiv", "A. Keza")
        hold(tracker, UNIFIED, records(4))
        found = verdict(tracker)
        assert found.passed
        assert found.words.startswith(f"Signed off by A. Keza on {signed.at:%Y-%m-%d}: the unified tables are read")
        assert rows(tracker, count) == before

    def test_by_force_it_stays_a_warning(self, tracker: Warehouse) -> None:
        hold_week(tracker, WEEK, differ=[EVENTS])
        signed = cut_over(tracker, "hiv", "A. Keza", force=True, reason="2.42 is here")
        found = verdict(tracker)
        assert not found.passed and not found.grave
        assert found.words == (
            f"Signed off by A. Keza on {signed.at:%Y-%m-%d} by force, although it was not ready (2.42 is here): "
            "the unified tables are read, and not compared."
        )


class TestOutdated:
    """One side was read so long before the other that what is late could hide anything."""

    LONG_AFTER = READ + timedelta(days=9)

    @pytest.mark.parametrize(("old", "new"), [(LEGACY, UNIFIED), (UNIFIED, LEGACY)])
    def test_late_records_are_then_a_warning(self, tracker: Warehouse, old: Pipeline, new: Pipeline) -> None:
        hold(tracker, old, records(20))
        hold(tracker, new, changed(records(20), [1], status="ACTIVE", updated_at=LATER), read_at=self.LONG_AFTER)
        found = verdict(tracker)
        assert not found.passed and not found.grave
        assert found.words == (
            f"1 of 1 partitions agree: late 1 (not counted). {WEEK}: {old} was read 9.0 days before {new}, and 1 records "
            f"changed in between. Load {old} again."
        )
        assert found.numbers["clean"] == 0
        assert rows(tracker, "select distinct state from ops.parity_state where kind = 'events'") == [
            (f"{old} outdated",)
        ]

    def test_without_late_records_it_is_clean_however_old(self, tracker: Warehouse) -> None:
        hold(tracker, LEGACY, records(20))
        hold(tracker, UNIFIED, records(20), read_at=self.LONG_AFTER)
        assert verdict(tracker).passed

    def test_a_day_apart_is_believed(self, tracker: Warehouse) -> None:
        hold(tracker, LEGACY, records(20))
        day = READ + timedelta(days=1)
        hold(tracker, UNIFIED, changed(records(20), [1], status="ACTIVE", updated_at=LATER), read_at=day)
        assert verdict(tracker).passed

    def test_what_differs_besides_is_graver(self, tracker: Warehouse) -> None:
        hold(tracker, LEGACY, records(20))
        there = changed(without(records(20), [5]), [1], status="ACTIVE", updated_at=LATER)
        hold(tracker, UNIFIED, there, read_at=self.LONG_AFTER)
        found = verdict(tracker)
        assert not found.passed and found.grave
        assert "missing_in_unified 1" in found.words and "Load legacy again." in found.words


def test_a_programme_without_a_legacy_pipeline(tracker: Warehouse) -> None:
    found = verdict(tracker, programme=replace(HIV, legacy=False))
    assert found.passed and "no legacy pipeline any more" in found.words


def test_no_identifier_is_in_a_verdict(tracker: Warehouse) -> None:
    hold(tracker, LEGACY, records(3, TE), TE)
    hold(tracker, UNIFIED, valued(records(3, TE), [0], {"name0000000": "Uwase Aline"}, "attributes"), TE)
    found = parity_verdict(tracker, HIV, TE, [WEEK])
    assert not found.passed
    said = f"{found.words} {found.numbers} {found.rows}"
    assert "name0000000" in said and "Uwase" not in said
