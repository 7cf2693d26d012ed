"""The pages of one question as they are read: whether they are the whole of one list, and come to an end. Pure.

Belongs here: what no kind of paging (`paging.py`) may do: loop, lead elsewhere, say one thing and give another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from hic_assets.extract.rest.windows import Params


class PagingFault(ValueError):
    """What a reply says of its page cannot be. The text holds no value of a record."""


class Elsewhere(PagingFault):
    """The next page would be at another host or path: credentials are not taken there."""


class Moved(PagingFault):
    """The list became another one while it was read, so that rows may be missing: it must be read again."""


@dataclass(frozen=True)
class Facts:
    """What a reply says besides its records. `rows`: how many those are; `digest`: of their bytes.

    `values`: by dotted path what the body says of its page, as far as it is there. `url`: that was asked.
    """

    rows: int
    digest: bytes
    values: Mapping[str, Any]
    headers: Mapping[str, str]
    url: str


class Paging(Protocol):
    """A kind of paging. `numbered`: pages are counted and not named, so that a row more or less moves the others.

    `facts`: dotted paths of what it needs of a body. `accept`: content types.
    """

    numbered: ClassVar[bool]
    accept: ClassVar[tuple[str, ...]]

    @property
    def facts(self) -> tuple[str, ...]: ...  # noqa: D102

    def first(self, base: Params) -> Params:
        """The parameters of the first request. `base`: what is asked."""
        ...

    def next(self, base: Params, facts: Facts, trail: Trail) -> Params | None:
        """The parameters of the next request, or None after the last. Raises PagingFault."""
        ...


@dataclass
class Trail:
    """The pages of one request so far, the latest included. Sees to it that they come to an end and nowhere twice."""

    paging: Paging
    base: Params
    pages: int = 0
    rows: int = 0
    total: int | None = None
    _told: dict[str, int | None] = field(default_factory=dict)
    _asked: set[Params] = field(default_factory=set)
    _digests: set[bytes] = field(default_factory=set)

    def start(self) -> Params:
        """The parameters of the first request."""
        params = self.paging.first(self.base)
        self._asked.add(params)
        return params

    def follow(self, facts: Facts) -> Params | None:
        """What to ask after a reply, or None. Raises PagingFault."""
        self.pages += 1
        self.rows += facts.rows
        if facts.rows and facts.digest in self._digests:
            raise PagingFault(f"the same {facts.rows:,} records came again as page {self.pages:,}")
        self._digests.add(facts.digest)
        params = self.paging.next(self.base, facts, self)
        if params in self._asked:
            raise PagingFault(f"page {self.pages:,} leads back to one that was read before")
        if params is not None:
            self._asked.add(params)
        return params

    def steady(self, name: str, said: int | None) -> int | None:
        """A count that must not change from page to page. Raises Moved where it did."""
        before = self._told.setdefault(name, said)
        if before != said:
            raise Moved(f"the {name} was {in_words(before)} and became {in_words(said)}")
        return said

    def counted(self, said: int | None) -> int | None:
        """The total that this reply says. Raises Moved where it is another than before, or less than came."""
        self.total = self.steady("total", said)
        if said is not None and self.rows > said:
            raise Moved(f"{self.rows:,} records came of a total of {said:,}")
        return said

    def ended(self) -> None:
        """Raises Moved where fewer came than there are."""
        if self.total is not None and self.rows != self.total:
            raise Moved(f"the pages end after {self.rows:,} records of a total of {self.total:,}")


def in_words(count: int | None) -> str:
    """A count for people."""
    return "not told" if count is None else f"{count:,}"
