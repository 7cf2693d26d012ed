"""What one resource of an API holds and how it is asked: the mapping from its JSON to a table. Declared, not run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hic_assets.extract.rest.moments import TimeForm
from hic_assets.extract.rest.paging import Export, Paging
from hic_assets.extract.rest.windows import AnyWindow, Params


class Form(StrEnum):
    """How a member of a record is written as text."""

    TEXT = "text"
    """As it came: text as it is, numbers and booleans as JSON spells them (1.50 stays 1.50). Empty text is NULL."""
    JSON = "json"
    """Any JSON, with sorted keys and no spaces; numbers as they came."""


@dataclass(frozen=True)
class Member:
    """A member of a JSON record and the column it lands in.

    `path`: dotted, as `patient.upid`. `key`: one of those that identify the record. `required`, `allowed`: what the
    contract of the table demands. `identifying`: the words for why few may read it; None when harmless.
    `instant`: it is a change time in this form, and is written as the instant it tells, in UTC; text that is none stays
    as it came, for the contract to judge. `true_when`: the column says `true` where the member is one of these and
    `false` where it is another or none: how `status: CANCELLED` becomes a tombstone.
    """

    column: str
    path: str
    description: str
    key: bool = False
    required: bool = False
    allowed: frozenset[str] = frozenset()
    form: Form = Form.TEXT
    identifying: str | None = None
    instant: TimeForm | None = None
    true_when: frozenset[str] = frozenset()

    @property
    def parts(self) -> tuple[str, ...]:
        """The names on the way to it."""
        return tuple(self.path.split("."))


@dataclass(frozen=True)
class Happened:
    """Which column tells the day that a record is of, and in which form. NULL in a tombstone: the day asked for."""

    column: str
    form: TimeForm


@dataclass(frozen=True)
class ChangeFilter:
    """How records are asked for by when the server last changed them: a parameter, inclusive.

    `column`: of the change time; its member has `instant`. `form`: in which the parameter is written.
    """

    param: str
    column: str
    form: TimeForm = TimeForm.ISO_TIME


@dataclass(frozen=True)
class Resource:
    """One list of records. Grain: a record; its columns are those of `members`.

    `path`: below the system's address. `rows`: dotted path to the list in a reply; "" where the reply is the list, or
    an export. `window`, `happened`: how days are asked for and told; both None for a registry, which is
    read whole. `deleted`: column that says `true` in tombstones. `tombstones_end`: some day the source removes them, so that
    days which held records may honestly hold none; else an empty answer is a server that is broken or half blind. `params`:
    sent with every request.
    """

    name: str
    path: str
    paging: Paging
    window: AnyWindow | None
    happened: Happened | None
    members: tuple[Member, ...]
    rows: str = ""
    changes: ChangeFilter | None = None
    deleted: str | None = None
    tombstones_end: bool = False
    params: Params = ()
    description: str = ""

    def __post_init__(self) -> None:
        named = list(self.columns)
        if (self.window is None) != (self.happened is None):
            raise ValueError(f"{self.name}: a window and the day of a record go together")
        pointed = [one.column for one in (self.happened, self.changes) if one]
        pointed += [self.deleted] if self.deleted else []
        lacking = [name for name in pointed if name not in named]
        if lacking or len(set(named)) < len(named) or not self.keys:
            raise ValueError(f"{self.name}: columns must be unique, with a key, and have {', '.join(lacking) or 'all'}")
        if self.changes and self.member(self.changes.column).instant is None:
            raise ValueError(f"{self.name}: {self.changes.column} must be an instant")
        if isinstance(self.paging, Export) and self.rows:
            raise ValueError(f"{self.name}: an export has no path to its rows")

    @property
    def is_whole(self) -> bool:
        """Whether it is read whole, without days: a list of codes or places, not of what happened."""
        return self.window is None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(member.column for member in self.members)

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns that identify a record."""
        return tuple(member.column for member in self.members if member.key)

    def member(self, column: str) -> Member:
        """The member of a column."""
        return next(one for one in self.members if one.column == column)
