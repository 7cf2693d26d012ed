"""Each question of `checks/questions.py`: a case it must pass, and cases it must not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from books import REGISTRATIONS, UNITS, VALUES, execute, loaded, open_books, refused, value

from hic_assets.checks import questions
from hic_assets.systems import HMIS
from hic_assets.warehouse import Warehouse

MARCH = "2024-03-01"
ROWS = [value("e1", "f1"), value("e2", "f1"), value("e1", "f2")]


@pytest.fixture
def books(warehouse: Warehouse) -> Warehouse:
    open_books(warehouse)
    return warehouse


class TestScope:
    def test_the_loads_of_this_run(self, books: Warehouse) -> None:
        loaded(books, VALUES, "2024-01-01", run_id="earlier")
        mine = [loaded(books, VALUES, m, run_id="this") for m in ("2024-02-01", MARCH)]
        assert questions.scope(books, VALUES, "this") == mine

    def test_every_current_load_where_the_run_made_none(self, books: Warehouse) -> None:
        loaded(books, VALUES, "2024-01-01", run_id="earlier", current=False)
        current = [loaded(books, VALUES, m, run_id="earlier") for m in ("2024-01-01", MARCH)]
        loaded(books, REGISTRATIONS, MARCH)
        assert questions.scope(books, VALUES, "this") == current
        assert questions.scope(books, VALUES, None) == current

    def test_nothing_where_nothing_is_loaded(self, books: Warehouse) -> None:
        assert questions.scope(books, VALUES, "this") == []
        assert questions.accounting(books, VALUES, []).passed


class TestAccounting:
    def test_books_that_agree(self, books: Warehouse) -> None:
        month = loaded(books, VALUES, MARCH, ROWS, quarantined=2, duplicates=1)
        refused(books, month, "not_a_number", {"value": "x"}, {"value": "y"})
        snapshot = loaded(books, UNITS, None, [{"id": "f1"}])
        for table, load in ((VALUES, month), (UNITS, snapshot)):
            verdict = questions.accounting(books, table, [load])
            assert verdict.passed, verdict
            assert verdict.numbers == {"loads": 1}

    def test_a_row_gone_from_the_table(self, books: Warehouse) -> None:
        load = loaded(books, VALUES, MARCH, ROWS)
        execute(books, "delete from raw.hmis_data_values where data_element = 'e2'")
        verdict = questions.accounting(books, VALUES, [load])
        assert not verdict.passed
        assert verdict.words == "1 of 1 loads do not add up."
        (row,) = verdict.rows
        assert (row["partition"], row["landed"], row["in_table"]) == (MARCH, 3, 2)

    def test_a_row_too_many_in_the_table(self, books: Warehouse) -> None:
        load = loaded(books, UNITS, None, [{"id": "f1"}], landed=1)
        execute(books, f"insert into raw.hmis_organisation_units (id, _load_id) values ('f2', {load})")
        verdict = questions.accounting(books, UNITS, [load])
        assert not verdict.passed
        assert verdict.rows[0]["partition"] == "snapshot"

    def test_a_row_gone_from_the_quarantine(self, books: Warehouse) -> None:
        load = loaded(books, VALUES, MARCH, ROWS, quarantined=1)
        assert not questions.accounting(books, VALUES, [load]).passed

    def test_rows_the_source_sent_that_nobody_read(self, books: Warehouse) -> None:
        load = loaded(books, VALUES, MARCH, ROWS, received=4)
        (row,) = questions.accounting(books, VALUES, [load]).rows
        assert (row["read"], row["received"]) == (3, 4)

    def test_only_loads_in_question_are_judged(self, books: Warehouse) -> None:
        loaded(books, VALUES, "2024-01-01", ROWS, received=4)
        good = loaded(books, VALUES, MARCH, ROWS)
        assert questions.accounting(books, VALUES, [good]).passed


class TestVolume:
    def months(self, books: Warehouse, landed: dict[int, int]) -> dict[int, int]:
        return {m: loaded(books, VALUES, f"2024-{m:02}-01", landed=n) for m, n in landed.items()}

    @pytest.mark.parametrize(
        ("rows", "good"), [(100, True), (50, True), (49, False), (200, True), (201, False), (0, False)]
    )
    def test_half_to_double_of_the_median_of_its_neighbours(self, books: Warehouse, rows: int, good: bool) -> None:
        loads = self.months(books, {1: 90, 2: 100, 3: 110, 4: rows})
        verdict = questions.volume(books, VALUES, [loads[4]])
        assert verdict.passed is good
        assert [r["partition"] for r in verdict.rows] == ([] if good else ["2024-04-01"])

    def test_two_neighbours_are_too_few_to_judge(self, books: Warehouse) -> None:
        loads = self.months(books, {1: 100, 2: 100, 3: 1})
        assert questions.volume(books, VALUES, [loads[3]]).passed

    def test_years_away_is_no_neighbour(self, books: Warehouse) -> None:
        for year in (2020, 2021, 2022):
            loaded(books, VALUES, f"{year}-01-01", landed=100)
        late = loaded(books, VALUES, "2024-06-01", landed=1)
        assert questions.volume(books, VALUES, [late]).passed


class TestFreshness:
    now = datetime(2026, 6, 11, 8, tzinfo=UTC)

    def test_the_month_that_is_due_is_there(self, books: Warehouse) -> None:
        loaded(books, VALUES, "2026-05-01")
        verdict = questions.freshness(books, HMIS.feed("data_values"), self.now)
        assert verdict.passed
        assert verdict.words == "Latest month loaded: 2026-05-01; due by now: 2026-05-01."

    def test_the_month_that_is_due_is_missing(self, books: Warehouse) -> None:
        loaded(books, VALUES, "2026-04-01")
        assert not questions.freshness(books, HMIS.feed("data_values"), self.now).passed
        assert questions.freshness(books, HMIS.feed("data_values"), self.now - timedelta(days=1)).passed

    def test_a_later_month_does_not_stand_in_for_the_one_that_is_due(self, books: Warehouse) -> None:
        loaded(books, VALUES, "2026-06-01")
        verdict = questions.freshness(books, HMIS.feed("data_values"), self.now)
        assert (verdict.passed, verdict.words) == (
            False,
            "Latest month loaded: 2026-06-01; due by now: 2026-05-01, missing.",
        )

    def test_nothing_is_there(self, books: Warehouse) -> None:
        assert not questions.freshness(books, HMIS.feed("data_values"), self.now).passed
        verdict = questions.freshness(books, HMIS.feed("organisation_units"), self.now)
        assert (verdict.passed, verdict.words) == (False, "Never loaded.")

    @pytest.mark.parametrize(("hours", "good"), [(1, True), (48, True), (49, False)])
    def test_a_registry_is_as_old_as_its_load(self, books: Warehouse, hours: int, good: bool) -> None:
        loaded(books, UNITS, None, finished_at=self.now - timedelta(hours=hours))
        verdict = questions.freshness(books, HMIS.feed("organisation_units"), self.now)
        assert verdict.passed is good
        assert verdict.words == f"Loaded {hours}.0 hours ago; due every 2 days."


class TestUnknown:
    def ask(self, books: Warehouse, load: int) -> questions.Verdict:
        return questions.unknown(books, VALUES, [load], "unknown_facility", "org_unit")

    def test_every_facility_is_known(self, books: Warehouse) -> None:
        load = loaded(books, VALUES, MARCH, ROWS, quarantined=1)
        refused(books, load, "not_a_number", {"org_unit": "f1"})
        verdict = self.ask(books, load)
        assert verdict.passed
        assert verdict.words == "Every facility is in the registry."

    def test_facilities_that_nobody_knows_the_worst_first(self, books: Warehouse) -> None:
        load = loaded(books, VALUES, MARCH, quarantined=3)
        refused(books, load, "unknown_facility", {"org_unit": "new"}, {"org_unit": "newer"}, {"org_unit": "newer"})
        verdict = self.ask(books, load)
        assert not verdict.passed
        assert verdict.numbers == {"ids": 2, "rows": 3}
        assert [(r["id"], r["rows"]) for r in verdict.rows] == [("newer", 2), ("new", 1)]


class TestRegistrationsAgainstValues:
    @pytest.fixture
    def forms(self, books: Warehouse) -> Warehouse:
        """One form with one data element, assigned to ten facilities."""
        execute(
            books,
            """insert into raw.hmis_data_sets (id, name, _load_id) values ('form', 'The form', 0);
               insert into raw.hmis_data_set_elements (data_set, data_element, _load_id) values ('form', 'e1', 0);
               insert into raw.hmis_data_set_org_units (data_set, org_unit, _load_id)
               select 'form', 'f' || i, 0 from generate_series(1, 10) i""",
        )
        return books

    def ask(self, books: Warehouse, reported: list[int], complete: dict[int, str | None]) -> questions.Verdict:
        load = loaded(books, VALUES, MARCH, [value("e1", f"f{i}") for i in reported])
        marks = [{"data_set": "form", "org_unit": f"f{i}", "completed": mark} for i, mark in complete.items()]
        loaded(books, REGISTRATIONS, MARCH, marks)
        return questions.registrations_against_values(books, VALUES, REGISTRATIONS, [load])

    def test_they_agree(self, forms: Warehouse) -> None:
        assert self.ask(forms, list(range(1, 11)), dict.fromkeys(range(1, 11), "true")).passed

    def test_one_in_ten_is_tolerated_two_are_not(self, forms: Warehouse) -> None:
        assert self.ask(forms, list(range(1, 11)), dict.fromkeys(range(1, 10))).passed
        load = loaded(forms, VALUES, "2024-04-01", [value("e1", f"f{i}") for i in range(1, 11)])
        marks = [{"data_set": "form", "org_unit": f"f{i}", "completed": "true"} for i in range(1, 9)]
        loaded(forms, REGISTRATIONS, "2024-04-01", marks)
        (row,) = questions.registrations_against_values(forms, VALUES, REGISTRATIONS, [load]).rows
        assert row["partition"] == "2024-04-01"
        assert row["data_set"] == "The form"
        assert (row["reports"], row["values_not_complete"], row["complete_without_values"]) == (10, 2, 0)

    def test_marked_complete_without_a_value(self, forms: Warehouse) -> None:
        (row,) = self.ask(forms, [1, 2, 3], dict.fromkeys(range(1, 6), "true")).rows
        assert (row["values_not_complete"], row["complete_without_values"]) == (0, 2)

    def test_a_mark_taken_back_is_none(self, forms: Warehouse) -> None:
        (row,) = self.ask(forms, [1, 2], {1: "true", 2: "false"}).rows
        assert row["values_not_complete"] == 1

    def test_a_deleted_value_is_none(self, forms: Warehouse) -> None:
        load = loaded(forms, VALUES, MARCH, [value("e1", "f1"), value("e1", "f2", deleted="true")])
        loaded(forms, REGISTRATIONS, MARCH, [{"data_set": "form", "org_unit": "f1"}])
        assert questions.registrations_against_values(forms, VALUES, REGISTRATIONS, [load]).passed
