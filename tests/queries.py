"""The questions of docs/queries.md, and asking them of a warehouse as the roles they are for."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from roles_world import World

from hic_assets.bench.questions import QUERIES, Question, questions
from hic_assets.warehouse.reading import NOT_FOR_OFFICERS

__all__ = ["ASKING", "NOT_IN_A_SHORT_DEMO", "QUERIES", "asked_of", "asker", "questions"]
ASKING = ("analyst", "officer", "district", "transformer")
GUARD = "set statement_timeout = '60s'"  # against hanging alone

NOT_IN_A_SHORT_DEMO: Mapping[str, str] = {
    "What do audit committees find: was it avoidable, which delay?": "in so small a country few die in a month",
    "Does civil registration hold the births that facilities report?": "a week registers few births of months before",
    "Where does the HIV cascade lose people?": "no month has all its weeks",
    "How many people are still on HIV treatment after 6 and 12 months?": "no half year is loaded",
    "How many TB cases are notified, and how many know their HIV status?": "no quarter has all its weeks",
    "What became of the TB cases notified a year ago?": "no year is loaded",
    "How many cancers are new each year, by site?": "in so small a country few are found in a month",
    "Which outbreak alerts stand in the latest weeks?": "one week has no history to stand out from",
    "Which services were disrupted, where, and how many visits were lost?": "three months are too few to judge",
}
"""Questions that a warehouse of three months and one week may have no row for, and why."""


def asked_of(world: World) -> dict[str, int | str]:
    """Heading -> 1 if there is a row and 0 if none, or what PostgreSQL says is wrong."""
    world.apply()
    (district,) = world.admin("select min(district) from access.place where kind = 'district_code'")[0]
    for role in ASKING:
        world.add(role, role, *([district] if role == "district" else []))
    return {one.heading: _answer(world, one) for one in questions()}


def asker(question: Question) -> str:
    """An officer where reports are enough: what one reads, an analyst reads."""
    beyond = ("dwh.", "staging.", *NOT_FOR_OFFICERS)
    return "officer" if question.role == "analyst" and not any(it in question.sql for it in beyond) else question.role


def _answer(world: World, question: Question) -> int | str:
    with world.of(asker(question)).connect() as connection:
        connection.execute(GUARD)
        connection.execute("set transaction read only")
        try:
            cursor = connection.execute(question.sql.encode())
        except psycopg.Error as error:
            connection.rollback()
            return str(error)
        names = [column.name for column in cursor.description or []]
        if not names or len(set(names)) < len(names) or "?column?" in names:
            return f"columns without a name of their own: {names}"
        return int(cursor.fetchone() is not None)
