"""What is the same though it is written differently, rule by rule, and what is not: on PostgreSQL, by the comparison itself."""

from __future__ import annotations

from typing import Any

import pytest

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.parity.rules import RULES, VALUE_RULES, Spelling, fields
from hic_assets.systems.declare import Pipeline
from hic_assets.warehouse import Warehouse
from parity.builders import EVENTS, LEGACY, TE, UNIFIED, changed, compared, found, hold, records, valued

SIDES = pytest.mark.parametrize("side", [LEGACY, UNIFIED])
OTHER = {LEGACY: UNIFIED, UNIFIED: LEGACY}

SAME = [
    ("local_date", "occurred_at", "2025-03-03T00:00:00.000", "2025-03-03"),
    ("local_date", "scheduled_at", "2025-03-03T00:00:00", "2025-03-03"),
    ("time_spelling", "completed_at", "2025-03-10T09:00:00.000", "2025-03-10T09:00:00"),
    ("time_spelling", "created_at", "2025-03-10T09:00:00.250", "2025-03-10T07:00:00.250Z"),
    ("time_spelling", "created_at", "2025-03-31T00:30:00.000", "2025-03-30T22:30:00+0000"),
    ("time_spelling", "created_at", "2024-02-29T10:00:00.000", "2024-02-29T10:00:00.000+02:00"),
    ("flag_spelling", "follow_up", "false", None),
    ("flag_spelling", "follow_up", "true", "TRUE"),
    ("flag_spelling", "follow_up", "1", "true"),
    ("flag_spelling", "deleted", "false", None),
    ("empty_text", "stored_by", None, ""),
    ("empty_text", "occurred_at", None, ""),
    ("empty_text", "completed_at", "", None),
]
OTHERWISE = [
    ("occurred_at", "2025-03-03T00:00:00.000", "2025-03-02T23:00:00.000"),
    ("occurred_at", "2025-03-03", "2025-03-03T00:00:00.000+0000"),
    ("completed_at", "2025-03-10T09:00:00.000", "2025-03-10T09:00:00.001"),
    ("completed_at", "2025-03-10T09:00:00.000", "2025-03-10T09:00:00.000Z"),
    ("completed_at", "2025-02-31T09:00:00.000", "rubbish"),
    ("status", "COMPLETED", "completed"),
    ("status", "COMPLETED", "COMPLETED "),
    ("org_unit", "facil000001", None),
    ("follow_up", "true", None),
]


@SIDES
@pytest.mark.parametrize(("rule", "name", "one", "other"), SAME)
def test_what_a_rule_equates_is_no_difference_and_is_named(
    tracker: Warehouse, rule: str, name: str, one: str | None, other: str | None, side: Pipeline
) -> None:
    hold(tracker, side, changed(records(9), range(4), **{name: one}))
    hold(tracker, OTHER[side], changed(records(9), range(4), **{name: other}))
    result = compared(tracker)
    assert found(result) == {} and result.matched == 9
    assert result.rules == {"renamed": 9, rule: 4}


@SIDES
@pytest.mark.parametrize(("name", "one", "other"), OTHERWISE)
def test_what_no_rule_equates_is_a_difference(
    tracker: Warehouse, name: str, one: str | None, other: str | None, side: Pipeline
) -> None:
    hold(tracker, side, changed(records(9), range(4), **{name: one}))
    hold(tracker, OTHER[side], changed(records(9), range(4), **{name: other}))
    result = compared(tracker)
    assert (found(result), result.by_field) == ({"value_differs": 4}, {name: 4})


@SIDES
@pytest.mark.parametrize(("kind", "member"), [(EVENTS, "data_values"), (TE, "attributes")])
def test_an_empty_value_is_an_absent_one(tracker: Warehouse, kind: Kind, member: str, side: Pipeline) -> None:
    hold(tracker, side, valued(records(9, kind), range(4), {"extra000000": ""}, member), kind)
    hold(tracker, OTHER[side], records(9, kind), kind)
    result = compared(tracker, kind)
    assert found(result) == {} and result.matched == 9
    assert result.rules == {"renamed": 5, "empty_value": 4}


@pytest.mark.parametrize(("one", "other"), [("1", "1.0"), ("1.50", "1.5"), ("true", "TRUE"), ("a", "a "), ("01", "1")])
def test_data_values_are_compared_as_they_are(tracker: Warehouse, one: str, other: str) -> None:
    hold(tracker, LEGACY, valued(records(3), [0], {"regimen0000": one}))
    hold(tracker, UNIFIED, valued(records(3), [0], {"regimen0000": other}))
    assert compared(tracker).by_field == {"data_values.regimen0000": 1}


def test_values_with_a_nul_or_an_escaped_one_do_not_end_the_comparison(tracker: Warehouse) -> None:
    hold(tracker, LEGACY, valued(records(3), [0, 1], {"regimen0000": "a\x00b", "remark00000": r"a\u0000b"}))
    hold(tracker, UNIFIED, valued(records(3), [0, 1], {"regimen0000": "a\x00c", "remark00000": r"a\u0000b"}))
    assert compared(tracker).by_field == {"data_values.regimen0000": 2}


def test_several_rules_are_counted_each(tracker: Warehouse) -> None:
    hold(tracker, LEGACY, changed(records(9), range(4), follow_up=None, occurred_at="2025-03-04"))
    hold(tracker, UNIFIED, changed(records(9), range(2, 6), occurred_at="2025-03-04T00:00:00.000", stored_by="nurse"))
    # Records 2 and 3 are of that day on both sides; the others keep their own on one of them.
    result = compared(tracker)
    assert result.rules == {"renamed": result.matched, "flag_spelling": 3, "local_date": 3}


@pytest.mark.parametrize("kind", list(Kind))
def test_every_member_is_compared_by_its_spelling(kind: Kind) -> None:
    spellings = {field.name: field.spelling for field in fields(kind)}
    assert spellings["updated_at"] is Spelling.INSTANT
    assert spellings["deleted"] is Spelling.FLAG
    assert [name for name, s in spellings.items() if s is Spelling.DATE] == {
        Kind.TRACKED_ENTITIES: [], Kind.ENROLLMENTS: ["enrolled_at", "occurred_at"], EVENTS: ["occurred_at", "scheduled_at"],
    }[kind]  # fmt: skip
    assert sum(field.key for field in fields(kind)) == 1


def test_every_rule_says_what_it_equates() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names) and set(VALUE_RULES) < set(RULES)
    assert all(rule.equates.endswith((".", "...")) for rule in RULES)


def sides(rule: Any) -> tuple[str, str]:
    return rule.sql(LEGACY, "x"), rule.sql(UNIFIED, "x")


def test_a_rule_has_sql_for_each_side() -> None:
    assert all("{value}" not in text and "x" in text for rule in VALUE_RULES for text in sides(rule))
