"""Every query of docs/queries.md, as the role it is for. That the sandbox's country has rows for it is asked in tests/cli/test_demo.py."""

from __future__ import annotations

import pytest
from dbt_runner import Dbt
from queries import ASKING, NOT_IN_A_SHORT_DEMO, asked_of, asker, questions
from roles_world import roles_on

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

# Alerts and disruptions are judged by assets, and neither by dbt nor by hand.
NOT_BY_HAND = [
    "Which outbreak alerts stand in the latest weeks?",
    "Which services were disrupted, where, and how many visits were lost?",
]


def test_there_are_many_questions_each_with_words_and_a_query() -> None:
    asked = questions()
    assert len(asked) >= 25
    headings = [one.heading for one in asked]
    assert len(set(headings)) == len(headings)
    assert {one.role for one in asked} | {asker(one) for one in asked} == set(ASKING)
    assert sum(asker(one) == "officer" for one in asked) > 35
    assert [one.heading for one in asked if not one.note or not one.heading.endswith("?")] == []
    assert set(NOT_IN_A_SHORT_DEMO) <= set(headings)


def test_every_query_runs_as_its_role(own_country: Dbt) -> None:
    with roles_on(own_country.warehouse) as world:
        answers = asked_of(world)
    assert [(heading, said) for heading, said in answers.items() if isinstance(said, str)] == []
    assert sum(1 for said in answers.values() if said) > 35


def test_what_takes_years_is_answered_from_rows_made_by_hand(own_marts: Dbt) -> None:
    with roles_on(own_marts.warehouse) as world:
        answers = asked_of(world)
    assert [one for one in NOT_IN_A_SHORT_DEMO if answers[one] != 1] == NOT_BY_HAND
