"""The questions of docs/queries.md, and asking them of a warehouse as the roles they are for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from roles_world import World

QUERIES = Path(__file__).parents[1] / "docs" / "queries.md"
ASKING = ("analyst", "district", "transformer")
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
}
"""Questions that a warehouse of three months and one week may have no row for, and why."""

_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_QUESTION = re.compile(r"^### (.+)$", re.MULTILINE)
_SQL = re.compile(r"^```sql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ROLE = re.compile(r"`hic_([a-z]+)`")


@dataclass(frozen=True)
class Question:
    """A question in plain words, how to read the answer, and the SQL. `role` is the one its section names, without the prefix."""

    heading: str
    note: str
    sql: str
    role: str


def questions() -> list[Question]:
    """All of them, in their order. Each has exactly one block of SQL, and every block belongs to a question."""
    text = QUERIES.read_text()
    found = []
    for title, section in _parts(_SECTION, text):
        named = _ROLE.search(title)
        for heading, under in _parts(_QUESTION, section):
            (sql,) = _SQL.findall(under)
            note = under[: under.index("```sql")].strip()
            found.append(Question(heading, note, sql.strip(), named[1] if named else "analyst"))
    assert len(found) == len(re.findall("^```sql$", text, re.MULTILINE)), "a block of SQL is under no question"
    return found


def asked_of(world: World) -> dict[str, int | str]:
    """Heading -> 1 if there is a row and 0 if none, or what PostgreSQL says is wrong."""
    world.apply()
    (district,) = world.admin("select min(district) from access.place where kind = 'district_code'")[0]
    for role in ASKING:
        world.add(role, role, *([district] if role == "district" else []))
    return {one.heading: _answer(world, one) for one in questions()}


def _answer(world: World, question: Question) -> int | str:
    with world.of(question.role).connect() as connection:
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


def _parts(heading: re.Pattern[str], text: str) -> list[tuple[str, str]]:
    """Each heading of a kind, and what stands under it."""
    matches = list(heading.finditer(text))
    ends = [match.start() for match in matches[1:]] + [len(text)]
    return [(match[1].strip(), text[match.end() : end]) for match, end in zip(matches, ends, strict=True)]
