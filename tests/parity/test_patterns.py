"""Recognising what differences have in common: pure functions, on values that are seen nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hic_assets.parity.patterns import Missing, Pair, missing_sentences, sentences, value_words
from hic_assets.systems.declare import Pipeline

RECOGNISED: list[tuple[str, list[Pair]]] = [
    ("always 1 hour(s) earlier in unified", [("2025-03-03", "2025-03-02T23:00:00.000")]),
    ("always 2 hour(s) later in unified", [("2025-03-03T10:00:00", "2025-03-03T12:00:00"), ("2025-01-31T23:00:00", "2025-02-01T01:00:00")]),
    ("always 1 day(s) later in unified", [("2025-03-03", "2025-03-04"), ("2025-03-31", "2025-04-01"), ("2024-02-28", "2024-02-29")]),
    ("day and month are swapped", [("1990-04-12", "1990-12-04"), ("2001-01-02", "2001-02-01")]),
    ("the time of day is lost in unified", [("2025-03-03T10:15:00", "2025-03-03T00:00:00"), ("2025-03-03T10:15:00", "2025-03-03")]),
    ("the time of day is lost in legacy", [("2025-03-03T00:00:00.000", "2025-03-03T10:15:00")]),
    ("numbers are rounded in unified", [("57.5", "58"), ("57.4", "57"), ("-0.49", "-0")]),
    ("numbers are rounded in legacy", [("57.5", "57.46")]),
    ("numbers are rounded in unified", [("1234", "1230"), ("87", "90"), ("15", "20")]),
    ("leading zeros are lost in unified", [("0012", "12"), ("000", "0")]),
    ("the text is cut at one length in unified", [("Kibagabaga", "Kibag"), ("Nyamata hospital", "Nyama")]),
    ("the text is cut in legacy", [("Kiba", "Kibagabaga"), ("Ny", "Nyamata")]),
    ("the encoding is mangled in unified", [("Ménard", "MÃ©nard"), ("Noël", "NoÃ«l")]),
    ("the encoding is mangled in unified", [("Uwase", "UwasÃ©")]),
    ("the encoding is mangled in legacy", [("M?nard", "Ménard"), ("No\ufffdl", "Noël")]),
    ("only capitals and small letters differ", [("Kigali", "KIGALI"), ("muhima", "Muhima")]),
    ("only spaces differ", [("a  b", "a b")]),
    ("no value in unified", [("5", None), ("x", None)]),
    ("no value in legacy", [(None, "5")]),
    ("always the same one value for the same other", [("POS", "NEG")] * 3),
]  # fmt: skip
NOT_RECOGNISED: list[list[Pair]] = [
    [],
    [("POS", "NEG")],
    [("5", None), (None, "5")],
    [("5", "7"), ("x", None)],
    [("57.5", "12"), ("57.4", "57")],
    [("12", "100")],
    [("80", "90")],
    [("2025-03-03", "2025-03-04")],
    [("2025-03-03T10:00:00", "2025-03-03T10:07:00")],
    [("2025-03-03T10:00:00", "2025-03-03T11:00:00"), ("2025-03-03T10:00:00", "2025-03-03T12:00:00")],
    [("Ménard", "Menard-Uwase")],
    [("2025-99-99", "2025-03-01")],
    [("2025-03-03T10:00:00", "2025-03-03T11:00:00+02:00")],
]


@pytest.mark.parametrize(("words", "pairs"), RECOGNISED)
def test_recognised(words: str, pairs: list[Pair]) -> None:
    assert value_words(pairs) == words


@pytest.mark.parametrize("pairs", NOT_RECOGNISED)
def test_nothing_is_recognised_where_there_is_nothing(pairs: list[Pair]) -> None:
    assert value_words(pairs) is None


@pytest.mark.parametrize(("words", "pairs"), RECOGNISED)
def test_one_that_does_not_fit_forbids_the_sentence(words: str, pairs: list[Pair]) -> None:
    assert value_words([*pairs, ("something", "quite different")]) is None


def test_fields_with_one_pattern_share_a_sentence_and_no_value_is_said() -> None:
    rounded = [("57.5", "58")]
    fields = {f"data_values.element000{i}": rounded for i in range(5)} | {"status": [("POS", "NEG")]}
    assert sentences(fields, []) == (
        "data_values.element0000, data_values.element0001, data_values.element0002 and 2 more fields: "
        "numbers are rounded in unified.",
    )


MISSING = Missing(Pipeline.UNIFIED, 40, 400, 401, between=7, between_changes=9, units=12, kept_units=30)


def one(**changes: object) -> str:
    return " ".join(missing_sentences(replace(MISSING, **changes)))  # type: ignore[arg-type]


class TestMissing:
    def test_here_and_there_says_nothing(self) -> None:
        assert one() == ""

    @pytest.mark.parametrize(("changes", "order"), [({"between": 0}, "creation"), ({"between_changes": 0}, "change")])
    def test_a_block(self, changes: dict[str, int], order: str) -> None:
        assert one(**changes) == (
            f"The 40 rows that unified lacks follow on each other by {order}: a page was lost, or the end of the list."
        )

    def test_two_rows_are_no_block(self) -> None:
        assert one(between=0, rows=2) == ""

    def test_as_many_as_a_page_holds(self) -> None:
        assert one(rows=100) == "unified lacks exactly 100 rows, full pages: some were lost."

    def test_the_servers_limit(self) -> None:
        said = "unified was served exactly 50,000 rows: the list was cut off at the server's limit."
        assert one(rows_read=50_000, kept=50_000) == said

    @pytest.mark.parametrize("rows_read", [50, 100, 4_000])
    def test_full_pages(self, rows_read: int) -> None:
        assert (
            one(rows_read=rows_read)
            == f"unified was served exactly {rows_read:,} rows, full pages: reading may have ended early."
        )

    def test_nothing_at_all(self) -> None:
        assert one(kept=0, rows_read=0, kept_units=0, between=0) == "unified holds no row at all."

    def test_only_what_is_above(self) -> None:
        said = one(deepest_kept=3, highest_missing=5)
        assert said.startswith("unified holds rows of units down to level 3 only, all missing ones are below")
        assert one(deepest_kept=5, highest_missing=5) == ""

    def test_one_unit_where_the_hierarchy_is_unknown(self) -> None:
        assert one(kept_units=1).startswith("unified holds rows of one organisation unit only")
        assert one(kept_units=1, units=2) == ""

    def test_a_part_of_the_country(self) -> None:
        known = {"below": "Gasabo", "deepest_kept": 5, "highest_missing": 5}
        assert one(**known) == "unified lacks all rows of Gasabo and below: a part of the country was not read."
        assert one(**known, kept_below=1) == ""
