"""The contract: each rule finds its rows, keeps their text, and leaves every other row alone."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hic_assets.extract.batches import frame_of
from hic_assets.landing.contract import CheckContext, check
from hic_assets.systems import HMIS
from hic_assets.systems.ebuzima import EBUZIMA
from hic_assets.systems.hiv_tracker import HIV_TRACKER
from landing.builders import COMBO, ELEMENT, FACILITY, JANUARY, PERIODS, TEXT_ELEMENT, value, values

DATA_VALUES = HMIS.feed("data_values").table
COMPLETE_REGISTRATIONS = HMIS.feed("complete_registrations").table

CONTEXT = CheckContext(
    periods=PERIODS[JANUARY],
    registries={
        "hmis_data_elements": pl.Series([*(f"element{i:04d}" for i in range(10)), TEXT_ELEMENT]),
        "hmis_organisation_units": pl.Series([f"facility{i:03d}" for i in range(100)]),
        "hmis_category_option_combos": pl.Series([COMBO]),
        "hmis_data_sets": pl.Series(["dataset0000"]),
    },
    numeric=pl.Series([f"element{i:04d}" for i in range(10)]),
)


def checked(*rows: dict[str, str | None]):
    return check(frame_of(rows, DATA_VALUES.column_names), DATA_VALUES, CONTEXT)


def test_good_rows_pass_with_their_time_parsed() -> None:
    result = checked(*values(200))
    assert result.good.height == 200
    assert result.bad.is_empty()
    assert result.good["_source_updated_at"][0].isoformat() == "2026-02-03T08:00:00+00:00"


@pytest.mark.parametrize(
    ("change", "rule", "reason"),
    [
        ({"data_element": "nobody00000"}, "unknown_data_element", "nobody00000 is not in raw.hmis_data_elements"),
        ({"org_unit": "nowhere0000"}, "unknown_facility", "nowhere0000 is not in raw.hmis_organisation_units"),
        ({"category_option_combo": "no0combo000"}, "unknown_category_option_combo", "no0combo000"),
        ({"value": "douze"}, "not_a_number", "douze"),
        ({"value": "NaN"}, "not_a_number", "NaN"),
        ({"value": "inf"}, "not_a_number", "inf"),
        ({"period": "202613"}, "impossible_period", "202613"),
        ({"period": "2026-1"}, "impossible_period", "2026-1"),
        ({"period": "202602"}, "period_outside_partition", "202602 was not asked for (asked: 202601)"),
        ({"org_unit": None}, "missing_value", "org_unit is empty"),
        ({"deleted": "maybe"}, "not_allowed", "maybe"),
        ({"last_updated": "yesterday"}, "bad_timestamp", "yesterday"),
        ({"comment": "a\0b"}, "unstorable_text", "comment holds a NUL"),
    ],
)
def test_each_rule(change: dict[str, str | None], rule: str, reason: str) -> None:
    broken = value(3, **change)
    result = checked(*values(3), broken, *values(3))
    assert result.good.height == 6
    assert result.bad["rule"].to_list() == [rule]
    assert reason in result.bad["reason"][0]
    original = {k: v.replace("\0", "\u2400") if v else v for k, v in broken.items()}
    assert json.loads(result.bad["row"][0]) == original


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"org_unit": "Uwase Marie"}, "unknown_facility"),
        ({"value": "Uwase Marie"}, "not_a_number"),
        ({"period": "Uwase Marie"}, "impossible_period"),
        ({"period": "202602"}, "period_outside_partition"),
        ({"deleted": "Uwase Marie"}, "not_allowed"),
        ({"last_updated": "Uwase Marie"}, "bad_timestamp"),
    ],
)
def test_no_rule_quotes_what_few_may_read(change: dict[str, str | None], rule: str) -> None:
    columns = tuple(replace(column, sensitive="health data of a person") for column in DATA_VALUES.columns)
    broken = value(3, **change)
    result = check(frame_of([broken], DATA_VALUES.column_names), replace(DATA_VALUES, columns=columns), CONTEXT)
    assert result.bad["rule"].to_list() == [rule]
    (said,) = change.values()
    assert said not in result.bad["reason"][0]
    assert "not shown" in result.bad["reason"][0]
    assert str(said) in result.bad["row"][0], "the row itself waits as it came"


def test_a_result_that_was_typed_with_a_name_is_not_told_in_the_reason() -> None:
    table = EBUZIMA.feed("anc_contacts").table
    row = {column.name: "true" if column.allowed >= {"true"} else "x" for column in table.columns}
    row |= {"updated_at": "2026-03-02T08:00:00+0000", "hiv_test": "POSITIVE - Uwase Marie 0788123456"}
    (reason,) = check(frame_of([row], table.column_names), table, CheckContext()).bad["reason"]
    assert "hiv_test is (a value that is not shown), not one of NEGATIVE, POSITIVE" in reason
    assert "Uwase" not in reason and "0788" not in reason


def test_a_row_that_breaks_two_rules_is_quarantined_once_with_both_reasons() -> None:
    result = checked(value(1, org_unit="nowhere0000", value="x"))
    assert result.bad["rule"].to_list() == ["unknown_facility"]
    assert "nowhere0000" in result.bad["reason"][0] and "x is not a number" in result.bad["reason"][0]


def test_text_is_allowed_where_the_data_element_is_text() -> None:
    assert checked(value(1, data_element=TEXT_ELEMENT, value="oui")).bad.is_empty()


def test_null_value_is_not_text_in_a_number() -> None:
    assert checked(value(1, value=None)).bad.is_empty()


def test_a_zoned_time_is_read_in_its_zone() -> None:
    result = checked(value(1, last_updated="2026-02-03T08:00:00.250+0200"))
    assert result.good["_source_updated_at"][0].isoformat() == "2026-02-03T06:00:00.250000+00:00"


def test_required_column_that_is_no_key() -> None:
    row = {
        "data_set": "dataset0000", "period": "202601", "org_unit": FACILITY, "attribute_option_combo": COMBO,
        "date": None, "stored_by": None, "completed": "true",
    }  # fmt: skip
    result = check(frame_of([row], COMPLETE_REGISTRATIONS.column_names), COMPLETE_REGISTRATIONS, CONTEXT)
    assert result.bad["reason"].to_list() == ["date is empty"]


cell = st.one_of(st.none(), st.text(max_size=12), st.sampled_from([ELEMENT, FACILITY, COMBO, "202601", "7", "true"]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(DATA_VALUES.column_names, cell)), max_size=8))
def test_every_row_is_either_good_or_quarantined(rows: list[dict[str, str | None]]) -> None:
    result = check(frame_of(rows, DATA_VALUES.column_names), DATA_VALUES, CONTEXT)
    assert result.good.height + result.bad.height == len(rows)
    assert result.bad["rule"].null_count() == 0 and result.bad["reason"].null_count() == 0


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ('{"de":"a\\u0000b"}', True),
        ('{"de":"a\\\\u0000b"}', False),  # somebody typed a backslash and u0000
        ('{"de":"a\\\\\\u0000b"}', True),
        ('{"de":"plain"}', False),
        (None, False),
    ],
)
def test_json_that_postgresql_could_not_read_waits_in_quarantine(values: str | None, refused: bool) -> None:
    table = HIV_TRACKER.feed("u_events").table
    row = {"event": "e", "updated_at": "2026-03-10T08:00:00.000+0000", "data_values": values}
    checked = check(frame_of([row], table.column_names), table, CheckContext())
    assert checked.good.height == (not refused)
    assert checked.bad["rule"].to_list() == (["unstorable_text"] if refused else [])
