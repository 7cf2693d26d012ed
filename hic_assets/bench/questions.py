"""The questions of docs/queries.md: each in plain words, for a role, with the SQL that answers it.

Belongs here: reading them. Does not: asking (``queries`` measures; the tests ask each as its role).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

QUERIES = Path(__file__).resolve().parents[2] / "docs" / "queries.md"

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


def questions(path: Path = QUERIES) -> list[Question]:
    """All of them, in their order.

    Raises:
        ValueError: a question without exactly one block of SQL, or a block under no question.
    """
    text = path.read_text()
    found = []
    for title, section in _parts(_SECTION, text):
        named = _ROLE.search(title)
        for heading, under in _parts(_QUESTION, section):
            blocks = _SQL.findall(under)
            if len(blocks) != 1:
                raise ValueError(f"{path}: '{heading}' has {len(blocks)} blocks of SQL, and needs one")
            note = under[: under.index("```sql")].strip()
            found.append(Question(heading, note, blocks[0].strip(), named[1] if named else "analyst"))
    if len(found) != len(re.findall("^```sql$", text, re.MULTILINE)):
        raise ValueError(f"{path}: a block of SQL is under no question")
    return found


def _parts(heading: re.Pattern[str], text: str) -> list[tuple[str, str]]:
    """Each heading of a kind, and what stands under it."""
    matches = list(heading.finditer(text))
    ends = [match.start() for match in matches[1:]] + [len(text)]
    return [(match[1].strip(), text[match.end() : end]) for match, end in zip(matches, ends, strict=True)]
