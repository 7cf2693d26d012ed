"""When a programme is ready, why it is not, and the sign-off: refused, forced, undone, twice, at once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import pytest
from pg_servers import rows

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.parity.cutover import CutoverRefused, UnknownProgramme, cut_over, undo
from hic_assets.parity.readiness import Readiness, readiness
from hic_assets.systems.hmis_tracker import HMIS_TRACKER
from hic_assets.warehouse import Warehouse
from parity.builders import (
    ENROLLMENTS,
    EVENTS,
    HIV_TRACKER,
    LEGACY,
    TE,
    UNIFIED,
    declare,
    hold,
    hold_week,
    prepare,
    records,
    trusted,
)

WEEKS = [date(2025, 3, 3) + timedelta(days=7 * i) for i in range(5)]
PIPELINE = "select pipeline from ops.programme_source where programme = 'hiv'"


@pytest.fixture
def three(tracker: Warehouse) -> Warehouse:
    """A tracker that is ready after three clean partitions."""
    declare(tracker, trusted(clean_partitions=3))
    return tracker


def stands(warehouse: Warehouse) -> Readiness:
    with warehouse.connect() as connection:
        (found,) = readiness(connection, "hiv")
    assert found.ready == (not found.reasons), found
    return found


class TestReadiness:
    def test_nothing_loaded(self, three: Warehouse) -> None:
        found = stands(three)
        assert (found.clean_in_a_row, found.needed, found.latest_partition) == (0, 3, None)
        assert found.reasons == ["nothing is loaded"]

    def test_too_few(self, three: Warehouse) -> None:
        for week in WEEKS[:2]:
            hold_week(three, week)
        found = stands(three)
        assert (found.clean_in_a_row, found.latest_partition, found.match_rate) == (2, WEEKS[1], 1.0)
        assert found.reasons == ["2 of 3 partitions in a row are clean, and no earlier one is loaded"]

    def test_enough(self, three: Warehouse) -> None:
        for week in WEEKS[:3]:
            hold_week(three, week)
        found = stands(three)
        assert found.ready and found.clean_in_a_row == 3 and found.pipeline == "legacy"
        assert found.match_rates == {str(week): 1 for week in WEEKS[:3]}

    @pytest.mark.parametrize("kind", list(Kind))
    def test_each_of_the_three_tables_counts(self, three: Warehouse, kind: Kind) -> None:
        for week in WEEKS[:4]:
            hold_week(three, week, differ=[kind] if week == WEEKS[2] else [])
        found = stands(three)
        assert found.clean_in_a_row == 1 and found.open_partitions == [WEEKS[2]] and found.open_differences == 1
        assert found.reasons == [
            f"1 of 3 partitions in a row are clean: {WEEKS[2]} is not ({kind.value} differs (1))",
            f"1 open differences in {WEEKS[2]}",
        ]

    def test_older_differences_are_in_the_way_too(self, three: Warehouse) -> None:
        for week in WEEKS:
            hold_week(three, week, differ=[EVENTS] if week == WEEKS[0] else [])
        found = stands(three)
        assert found.clean_in_a_row == 4 and found.reasons == [f"1 open differences in {WEEKS[0]}"]

    def test_within_the_tolerance_is_clean(self, tracker: Warehouse) -> None:
        declare(tracker, trusted(clean_partitions=1, tolerance=0.34))
        hold_week(tracker, WEEKS[0], differ=[EVENTS])
        assert stands(tracker).ready
        declare(tracker, trusted(clean_partitions=1, tolerance=0.33))
        assert not stands(tracker).ready, "the tolerance is as declared today"

    def test_a_result_of_older_loads_does_not_count(self, three: Warehouse) -> None:
        for week in WEEKS[:3]:
            hold_week(three, week)
        hold(three, UNIFIED, records(3), partition=WEEKS[1])
        assert stands(three).reasons == [f"1 of 3 partitions in a row are clean: {WEEKS[1]} is not (events stale)"]

    def test_a_table_that_is_not_loaded_or_not_compared(self, three: Warehouse) -> None:
        for week in WEEKS[:3]:
            hold_week(three, week)
        hold(three, UNIFIED, records(3), partition=WEEKS[3])
        hold(three, LEGACY, records(3, TE), TE, partition=WEEKS[3])
        for side in (LEGACY, UNIFIED):
            hold(three, side, records(3, ENROLLMENTS), ENROLLMENTS, partition=WEEKS[3])
        words = "tracked_entities unified not loaded, enrollments not compared, events legacy not loaded"
        assert stands(three).reasons == [
            f"0 of 3 partitions in a row are clean: {WEEKS[3]} is not ({words})",
            f"1 partitions are in the legacy tables alone, {WEEKS[3]} to {WEEKS[3]}: load the unified ones first",
        ]

    def test_older_partitions_that_only_legacy_holds_would_leave_the_marts(self, three: Warehouse) -> None:
        for week in WEEKS[2:]:
            hold_week(three, week)
        hold(three, LEGACY, records(3), partition=WEEKS[0])
        hold(three, LEGACY, records(3), partition=WEEKS[1])
        found = stands(three)
        assert found.clean_in_a_row == 3 and found.legacy_only_partitions == WEEKS[:2]
        assert found.reasons == [
            f"2 partitions are in the legacy tables alone, {WEEKS[0]} to {WEEKS[1]}: load the unified ones first"
        ]
        with pytest.raises(CutoverRefused, match="in the legacy tables alone"):
            cut_over(three, "hiv", "A. Keza")
        for week in WEEKS[:2]:
            hold(three, UNIFIED, records(3), partition=week)
        assert stands(three).ready, "older ones need not be compared"

    def test_a_gap(self, three: Warehouse) -> None:
        for week in (WEEKS[0], WEEKS[1], WEEKS[3]):
            hold_week(three, week)
        assert stands(three).reasons == [f"1 of 3 partitions in a row are clean: before them is a gap, from {WEEKS[2]}"]

    def test_months_follow_on_each_other_too(self, three: Warehouse) -> None:
        for first, days in ((date(2025, 1, 1), 31), (date(2025, 2, 1), 28), (date(2025, 3, 1), 31)):
            hold_week(three, first, days=days)
        assert stands(three).ready

    def test_a_week_that_is_not_over_is_not_judged(self, three: Warehouse) -> None:
        for week in WEEKS[:3]:
            hold_week(three, week)
        monday = datetime.now(UTC).date() - timedelta(days=datetime.now(UTC).weekday())
        hold_week(three, monday, differ=list(Kind), days=14)
        found = stands(three)
        assert found.ready and found.latest_partition == WEEKS[2]

    def test_late_records_of_an_outdated_side_are_in_the_way(self, three: Warehouse) -> None:
        for week in WEEKS[:3]:
            hold_week(three, week)
        rows(three, "update ops.parity set late = 5 where kind = 'events'")
        rows(
            three,
            f"""update ops.load set source_read_at = source_read_at - interval '25 hours'
                where relation = 'hiv_tracker_events' and window_start = '{WEEKS[1]}'""",
        )
        found = stands(three)
        assert found.reasons == [f"1 of 3 partitions in a row are clean: {WEEKS[1]} is not (events legacy outdated)"]
        assert found.open_partitions == []

    def test_late_records_are_not_in_the_way(self, three: Warehouse) -> None:
        for week in WEEKS[:3]:
            hold_week(three, week)
        rows(three, "update ops.parity set late = 5, matched = 0 where kind = 'events'")
        assert stands(three).ready


class TestCutover:
    def test_refused_with_its_reasons_while_not_ready(self, three: Warehouse) -> None:
        hold_week(three, WEEKS[0])
        with pytest.raises(CutoverRefused) as refused:
            cut_over(three, "hiv", "A. Keza")
        assert refused.value.reasons == ("1 of 3 partitions in a row are clean, and no earlier one is loaded",)
        assert rows(three, PIPELINE) == [("legacy",)]
        assert rows(three, "select count(*) from ops.cutover") == [(0,)]

    def test_signed_off_with_evidence_and_only_once(self, three: Warehouse) -> None:
        for week in WEEKS[:4]:
            hold_week(three, week)
        signed = cut_over(three, "hiv", "A. Keza", reason="agreed on 3 June")
        assert (signed.pipeline, signed.changed, signed.forced) == (UNIFIED, True, False)
        assert rows(three, PIPELINE) == [("unified",)]
        again = cut_over(three, "hiv", "somebody else")
        assert (again.changed, again.at, again.by_whom) == (False, signed.at, "A. Keza")
        ((by, action, forced, reason, evidence),) = rows(
            three, "select by_whom, action, forced, reason, evidence from ops.cutover"
        )
        assert (by, action, forced, reason) == ("A. Keza", "unified", False, "agreed on 3 June")
        assert evidence["readiness"]["clean_in_a_row"] == 4
        assert {p["partition_start"] for p in evidence["partitions"]} == {str(week) for week in WEEKS[1:4]}
        assert all(p["state"] == "clean" and p["legacy_load_id"] for p in evidence["partitions"])

    def test_forced_with_a_reason(self, three: Warehouse) -> None:
        with pytest.raises(ValueError, match="needs a reason"):
            cut_over(three, "hiv", "A. Keza", force=True, reason=" ")
        signed = cut_over(three, "hiv", "A. Keza", force=True, reason="the old server is switched off tonight")
        assert signed.forced and rows(three, PIPELINE) == [("unified",)]
        ((evidence,),) = rows(three, "select evidence from ops.cutover where forced")
        assert evidence["readiness"]["reasons"] == ["nothing is loaded"]

    def test_force_is_not_noted_where_it_was_not_needed(self, three: Warehouse) -> None:
        for week in WEEKS[:3]:
            hold_week(three, week)
        assert not cut_over(three, "hiv", "A. Keza", force=True, reason="to be sure").forced

    def test_undone_and_signed_off_again(self, three: Warehouse) -> None:
        for week in WEEKS[:3]:
            hold_week(three, week)
        cut_over(three, "hiv", "A. Keza")
        back = undo(three, "hiv", "J. Mugabo", reason="doses are counted twice")
        assert (back.pipeline, back.changed) == (LEGACY, True)
        assert rows(three, PIPELINE) == [("legacy",)]
        assert not undo(three, "hiv", "J. Mugabo").changed
        cut_over(three, "hiv", "A. Keza")
        assert rows(three, "select action, by_whom from ops.cutover order by cutover_id") == [
            ("unified", "A. Keza"), ("legacy", "J. Mugabo"), ("unified", "A. Keza"),
        ]  # fmt: skip

    def test_undo_of_what_never_was(self, three: Warehouse) -> None:
        assert not undo(three, "hiv", "J. Mugabo").changed
        assert rows(three, "select count(*) from ops.cutover") == [(0,)]

    def test_an_unknown_programme_is_told_the_known_ones(self, three: Warehouse) -> None:
        for call in (cut_over, undo):
            with pytest.raises(UnknownProgramme, match="no programme 'HIV'; there are: hiv"):
                call(three, "HIV", "A. Keza")

    def test_several_at_once_are_one(self, three: Warehouse) -> None:
        for week in WEEKS[:3]:
            hold_week(three, week)
        changed: list[bool] = []
        calls = [
            threading.Thread(target=lambda i=i: changed.append(cut_over(three, "hiv", f"clerk {i}").changed))
            for i in range(6)
        ]
        for call in calls:
            call.start()
        for call in calls:
            call.join()
        assert sorted(changed) == [False] * 5 + [True]
        assert rows(three, "select count(*) from ops.cutover") == [(1,)]


class TestProgrammes:
    def test_as_declared(self, tracker: Warehouse) -> None:
        declare(tracker, HMIS_TRACKER)
        held = rows(tracker, "select programme, tables, tolerance, clean_partitions from ops.programme order by 1")
        assert held[0] == ("birth_registration", "hmis_tracker_birth_registration", 0.0, 8) and len(held) == 6
        assert rows(tracker, "select distinct pipeline from ops.programme_source") == [("legacy",)]

    def test_nothing_is_written_where_nothing_changed(self, tracker: Warehouse) -> None:
        before = rows(tracker, "select xmin::text from ops.programme")
        declare(tracker, HIV_TRACKER)
        assert rows(tracker, "select xmin::text from ops.programme") == before

    def test_a_programme_without_legacy_reads_unified_and_has_nothing_to_undo(self, tracker: Warehouse) -> None:
        rows(tracker, "update ops.programme set legacy = false")
        assert rows(tracker, PIPELINE) == [("unified",)]
        assert not cut_over(tracker, "hiv", "A. Keza").changed
        with pytest.raises(CutoverRefused, match="no legacy pipeline to go back to"):
            undo(tracker, "hiv", "A. Keza")
        assert stands(tracker).reasons == ["there is no legacy pipeline any more: nothing to cut over from"]

    @pytest.mark.parametrize("ready", [True, False])
    def test_a_legacy_pipeline_that_the_declaration_drops_is_recorded_as_a_sign_off(
        self, three: Warehouse, ready: bool
    ) -> None:
        """By it the months that were built from the legacy tables are built again."""
        for week in WEEKS[: 3 if ready else 1]:
            hold_week(three, week)
        system = trusted(clean_partitions=3)
        (programme,) = system.programmes
        without = replace(system, programmes=(replace(programme, legacy=False),))
        for _ in range(2):
            declare(three, without)
        assert rows(three, PIPELINE) == [("unified",)]
        assert rows(three, "select by_whom, action, forced, reason from ops.cutover") == [
            ("the declaration", "unified", not ready, "legacy=False in its declaration")
        ]

    def test_one_that_was_signed_off_before_is_recorded_once(self, three: Warehouse) -> None:
        cut_over(three, "hiv", "A. Keza", force=True, reason="a test")
        (programme,) = HIV_TRACKER.programmes
        declare(three, replace(HIV_TRACKER, programmes=(replace(programme, legacy=False),)))
        assert rows(three, "select by_whom from ops.cutover") == [("A. Keza",)]

    def test_views_of_an_older_version_are_made_anew(self, warehouse: Warehouse) -> None:
        prepare(warehouse)
        readiness_view = files("hic_assets.parity").joinpath("cutover_readiness.sql").read_text()
        rows(
            warehouse,
            f"""create table held as select * from ops.parity_state;
                alter table held drop legacy_read_at, drop unified_read_at, drop outdated;
                drop view ops.cutover_readiness, ops.parity_state;
                create view ops.parity_state as select * from held; {readiness_view}""",
        )
        prepare(warehouse)
        assert rows(warehouse, "select outdated from ops.parity_state") == []
        assert stands(warehouse).reasons == ["nothing is loaded"]

    def test_what_is_missing_is_made_and_only_then(self, warehouse: Warehouse) -> None:
        prepare(warehouse)
        names = "select oid::text, relname from pg_class where relnamespace = 'ops'::regnamespace order by 2"
        made = rows(warehouse, names)
        prepare(warehouse)
        assert rows(warehouse, names) == made
        rows(warehouse, "drop index ops.parity_difference_parity")
        prepare(warehouse)
        assert [name for _, name in rows(warehouse, names)] == [name for _, name in made]
