"""How an API gives a long list in pieces. Pure: from what replies say to what to ask next.

Belongs here: the kinds of paging. Does not: what none of them may do (`trail.py`), requests, and how many pages, bytes
and seconds are too many (`walk.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import SplitResult, parse_qsl, unquote, urljoin, urlsplit

from requests.utils import parse_header_links

from hic_assets.extract.rest.trail import Elsewhere, Facts, Moved, Paging, PagingFault, Trail, in_words
from hic_assets.extract.rest.windows import Params

__all__ = ["Cursor", "Export", "LinkHeader", "Offset", "PageNumbers", "Paging", "Whole"]

JSON_TYPES = ("application/json",)
NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
# Longer ones no server takes back.
LONGEST_CURSOR = 4096
LONGEST_LINK = 8192
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class PageNumbers:
    """`page=3&per_page=500`. `total`, `pages`, `number`: where a body tells how many records and pages there are and
    which this is; "" where it does not. What is declared must be told.
    """

    page: str = "page"
    size: str = "per_page"
    page_size: int = 500
    total: str = ""
    pages: str = ""
    number: str = ""
    numbered: ClassVar[bool] = True
    accept: ClassVar[tuple[str, ...]] = JSON_TYPES

    @property
    def facts(self) -> tuple[str, ...]:
        """Paths it needs."""
        return tuple(path for path in (self.total, self.pages, self.number) if path)

    def first(self, base: Params) -> Params:
        """Page 1."""
        return self._page(base, 1)

    def next(self, base: Params, facts: Facts, trail: Trail) -> Params | None:
        """The page after; none after the last, by the count of pages, else of records, else an empty one."""
        number = _count(facts, self.number)
        if number is not None and number != trail.pages:
            raise PagingFault(f"page {trail.pages:,} was asked for and page {number:,} came")
        total = trail.counted(_count(facts, self.total))
        pages = trail.steady("number of pages", _count(facts, self.pages))
        by_rows = facts.rows > 0 and (total is None or trail.rows < total)
        more = by_rows if pages is None else trail.pages < pages
        if more and not facts.rows:
            raise Moved(f"page {trail.pages:,} of {in_words(pages)} is empty")
        if more:
            return self._page(base, trail.pages + 1)
        trail.ended()
        return None

    def _page(self, base: Params, number: int) -> Params:
        return (*base, (self.page, str(number)), (self.size, str(self.page_size)))


@dataclass(frozen=True)
class Offset:
    """`offset=1000&limit=500`. `total_header`, `total`: header, or path in the body, that tells how many records there
    are; "" where none does: the list then ends with an empty page. What is declared must be told.

    The next offset is by what came: servers that give fewer than asked for lose nothing. More than asked for is refused:
    what came twice on a page would be taken for the records behind it, which would then never be asked for.
    """

    offset: str = "offset"
    limit: str = "limit"
    page_size: int = 500
    total_header: str = ""
    total: str = ""
    numbered: ClassVar[bool] = True
    accept: ClassVar[tuple[str, ...]] = JSON_TYPES

    @property
    def facts(self) -> tuple[str, ...]:
        """Paths it needs."""
        return (self.total,) if self.total else ()

    def first(self, base: Params) -> Params:
        """From 0."""
        return self._from(base, 0)

    def next(self, base: Params, facts: Facts, trail: Trail) -> Params | None:
        """From behind what came; none once the total came, or after an empty page."""
        if facts.rows > self.page_size:
            raise PagingFault(f"the page holds {facts.rows:,} records where {self.page_size:,} were asked for")
        total = trail.counted(_told_total(facts, self.total_header, self.total))
        if facts.rows and (total is None or trail.rows < total):
            return self._from(base, trail.rows)
        trail.ended()
        return None

    def _from(self, base: Params, offset: int) -> Params:
        return (*base, (self.offset, str(offset)), (self.limit, str(self.page_size)))


@dataclass(frozen=True)
class Cursor:
    """Each reply names the next: `next` is the path of the name, which must be there, null in the last.

    It is only ever sent as parameter `cursor`, whatever it looks like. `total`: as in `PageNumbers`.
    """

    cursor: str = "cursor"
    next_path: str = "next_cursor"
    size: str = "limit"
    page_size: int = 500
    total: str = ""
    numbered: ClassVar[bool] = False
    accept: ClassVar[tuple[str, ...]] = JSON_TYPES

    @property
    def facts(self) -> tuple[str, ...]:
        """Paths it needs."""
        return tuple(path for path in (self.next_path, self.total) if path)

    def first(self, base: Params) -> Params:
        """Without a cursor."""
        return (*base, (self.size, str(self.page_size)))

    def next(self, base: Params, facts: Facts, trail: Trail) -> Params | None:
        """With the cursor that came."""
        trail.counted(_count(facts, self.total))
        if self.next_path not in facts.values:
            raise PagingFault(f"the reply has no {self.next_path}, which says whether more is to come")
        cursor = facts.values[self.next_path]
        if cursor is None or cursor == "":
            trail.ended()
            return None
        if isinstance(cursor, bool) or not isinstance(cursor, str | int):
            raise PagingFault(f"{self.next_path} is neither text nor a number")
        if len(str(cursor)) > LONGEST_CURSOR:
            raise PagingFault(f"{self.next_path} is longer than {LONGEST_CURSOR:,} characters")
        return (*self.first(base), (self.cursor, str(cursor)))


@dataclass(frozen=True)
class LinkHeader:
    """Each reply links to the next by a `Link` header with `rel="next"` (RFC 8288); the last has none.

    Followed at the same host and path only. What stands in a link is the server's matter: mostly it counts, so the pages
    are taken as numbered. `total_header`: as in `Offset`, the only proof that a proxy took no link away.
    """

    size: str = "limit"
    page_size: int = 500
    total_header: str = ""
    numbered: ClassVar[bool] = True
    accept: ClassVar[tuple[str, ...]] = JSON_TYPES

    @property
    def facts(self) -> tuple[str, ...]:
        """Paths it needs."""
        return ()

    def first(self, base: Params) -> Params:
        """The page size."""
        return (*base, (self.size, str(self.page_size)))

    def next(self, base: Params, facts: Facts, trail: Trail) -> Params | None:
        """The query of the link."""
        trail.counted(_told_total(facts, self.total_header, ""))
        link = _next_link(facts.headers.get("Link", ""))
        if link is None:
            trail.ended()
            return None
        if len(link) > LONGEST_LINK:
            raise PagingFault(f"the link to the next page is longer than {LONGEST_LINK:,} characters")
        asked, target = urlsplit(facts.url), _target(facts.url, link)
        if _place(target) != _place(asked):
            raise Elsewhere(f"the next page would be at {target.scheme}://{target.netloc}{target.path}, elsewhere")
        return tuple(parse_qsl(target.query, keep_blank_values=True))


@dataclass(frozen=True)
class Whole:
    """No paging: one reply holds the whole list, as those of code lists do. `total`: as in `PageNumbers`."""

    total: str = ""
    numbered: ClassVar[bool] = False
    accept: ClassVar[tuple[str, ...]] = JSON_TYPES

    @property
    def facts(self) -> tuple[str, ...]:
        """Paths it needs."""
        return (self.total,) if self.total else ()

    def first(self, base: Params) -> Params:
        """What is asked."""
        return base

    def next(self, base: Params, facts: Facts, trail: Trail) -> Params | None:
        """There is none."""
        trail.counted(_count(facts, self.total))
        trail.ended()
        return None


@dataclass(frozen=True)
class Export:
    """Newline-delimited JSON in one body; its last line says that it is whole: `{"end": true, "count": 812}`."""

    end: str = "end"
    count: str = "count"
    numbered: ClassVar[bool] = False
    accept: ClassVar[tuple[str, ...]] = NDJSON_TYPES

    @property
    def facts(self) -> tuple[str, ...]:
        """Paths it needs."""
        return ()

    def first(self, base: Params) -> Params:
        """What is asked."""
        return base

    def next(self, base: Params, facts: Facts, trail: Trail) -> Params | None:
        """There is none."""
        return None


def _count(facts: Facts, path: str) -> int | None:
    """A count that the body tells; None where none is declared."""
    if not path:
        return None
    if path not in facts.values:
        raise PagingFault(f"the reply does not tell {path}")
    return _number(facts.values[path], path)


def _told_total(facts: Facts, header: str, path: str) -> int | None:
    if not header:
        return _count(facts, path)
    if header not in facts.headers:
        raise PagingFault(f"the reply has no header {header}, which tells how many records there are")
    return _number(facts.headers[header], header)


def _number(value: Any, name: str) -> int:
    """Counts come as numbers or as text."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise PagingFault(f"{name} is no count")
    return int(text)


def _next_link(header: str) -> str | None:
    if not header.strip():
        return None
    links = parse_header_links(header)
    if any("rel" not in link for link in links):
        raise PagingFault("the Link header cannot be read")
    found = {link["url"] for link in links if "next" in link["rel"].lower().split()}
    if len(found) > 1:
        raise PagingFault("the Link header names several next pages")
    return found.pop() if found else None


def _target(url: str, link: str) -> SplitResult:
    try:
        parts = urlsplit(urljoin(url, link))
        _ = parts.port  # read here, since it is checked only then
    except ValueError:
        parts = None
    # Readers of addresses do not agree on what a backslash is.
    if parts is None or "\\" in link:
        raise PagingFault("the link to the next page is no address")
    return parts


def _place(parts: SplitResult) -> tuple[str, str | None, int | None, str]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme), unquote(parts.path)
