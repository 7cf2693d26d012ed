"""The words in which the tables of REST APIs are mapped: kinds of members, and why few may read them.

Belongs here: what several systems' mappings say. Does not: any one system's members (``<system>/tables.py``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hic_assets.extract.rest.paging import Whole
from hic_assets.extract.rest.resource import Form, Member, Resource

PERSON = "identifies a person"
"""Names, numbers of persons and of their files, telephones, days of birth."""
PLACE = "place of a person"
"""Village, household."""
WORKER = "identifies a health worker"
FREE_TEXT = "free text about a person"
HEALTH = "health data of a person"


def marked(why: str, *members: Member) -> tuple[Member, ...]:
    """Members that few may read, and the words for why."""
    return tuple(replace(member, identifying=why) for member in members)


def always(column: str, path: str, description: str, **more: Any) -> Member:
    """What the contract promises of every record, tombstones included."""
    return Member(column, path, description, required=True, **more)


def flag(column: str, path: str, description: str, **more: Any) -> Member:
    """A boolean."""
    return Member(column, path, description, allowed=codes("true false"), **more)


def listed(column: str, path: str, description: str, **more: Any) -> Member:
    """A list or an object, held as JSON text; staging models take it apart."""
    return Member(column, path, description, form=Form.JSON, **more)


def code_list(name: str, path: str, rows: str, description: str, *members: Member) -> Resource:
    """A list of codes or places that the API gives whole, in one reply: nothing in it has a day."""
    return Resource(
        name=name,
        path=path,
        rows=rows,
        paging=Whole(),
        window=None,
        happened=None,
        description=description,
        members=members,
    )


def codes(words: str) -> frozenset[str]:
    """A closed list of codes, set apart by blanks."""
    return frozenset(words.split())
