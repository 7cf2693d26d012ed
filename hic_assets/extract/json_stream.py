"""A JSON object on disk, member by member and array item by array item, in bounded memory.

Walking it to its end is also the proof that it is complete: servers that stream can leave a cut body under
status 200, and only the closing brace tells.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

READ_BYTES = 1024 * 1024
# One item larger than this is not a row of anything.
ITEM_LIMIT = 256 * 1024 * 1024
_SPACE = " \t\r\n"


class IncompleteJson(ValueError):
    """The text ended before the object did."""


class MalformedJson(ValueError):
    """Not a JSON object, or broken inside."""


class Member(NamedTuple):
    """A member of the object; for an array one for each item (`in_array`), or one `[]` when it is empty."""

    key: str
    value: Any
    in_array: bool


def members(path: Path) -> Iterator[Member]:
    """Members in order. Raises IncompleteJson and MalformedJson; bytes that are not UTF-8 become U+FFFD."""
    with path.open("rb") as file:
        text = _Text(file)
        text.expect("{")
        if text.peek() == "}":
            text.take()
        else:
            yield from _members(text)
        if text.peek(at_end="") != "":
            raise MalformedJson("text after the closing brace")


def _members(text: _Text) -> Iterator[Member]:
    while True:
        key = text.string()
        text.expect(":")
        if text.peek() == "[":
            text.take()
            if text.peek() == "]":
                text.take()
                yield Member(key, [], False)
            else:
                yield from (Member(key, item, True) for item in _items(text))
        else:
            yield Member(key, text.value(), False)
        if text.expect(",}") == "}":
            return


def _items(text: _Text) -> Iterator[Any]:
    while True:
        yield text.value()
        if text.expect(",]") == "]":
            return


class _Text:
    """A window over the decoded text that grows when a value does not fit and forgets what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._raw_decode = json.JSONDecoder().raw_decode
        self._window, self._at, self._ended = "", 0, False

    def _grow(self) -> bool:
        if self._ended:
            return False
        # Doubling keeps the cost of re-reading a large item linear.
        wanted = max(READ_BYTES, len(self._window) - self._at)
        data = self._file.read(wanted)
        self._ended = len(data) < wanted
        self._window = self._window[self._at :] + self._decode.decode(data, final=self._ended)
        self._at = 0
        return True

    def peek(self, at_end: str | None = None) -> str:
        """The next character that is not space, not yet taken; `at_end` (if given) where there is none."""
        while True:
            window, at = self._window, self._at
            while at < len(window) and window[at] in _SPACE:
                at += 1
            self._at = at
            if at < len(window):
                return window[at]
            if not self._grow():
                if at_end is None:
                    raise IncompleteJson("the text ends inside the object")
                return at_end

    def take(self) -> str:
        self._at += 1
        return self._window[self._at - 1]

    def expect(self, one_of: str) -> str:
        found = self.peek()
        if found not in one_of:
            raise MalformedJson(f"{found!r} where one of {one_of!r} was due")
        return self.take()

    def string(self) -> str:
        if self.peek() != '"':
            raise MalformedJson("a member without a name")
        return str(self.value())

    def value(self) -> Any:
        self.peek()
        while True:
            try:
                value, end = self._raw_decode(self._window, self._at)
            except json.JSONDecodeError as exc:
                if len(self._window) - self._at > ITEM_LIMIT:
                    raise MalformedJson("one value is larger than any row can be") from exc
                if self._grow():
                    continue
                cut = exc.pos >= len(self._window) - 1 or exc.msg.startswith("Unterminated")
                raise (IncompleteJson if cut else MalformedJson)(exc.msg) from exc
            # A number at the very end of the window may go on in the next piece.
            if end == len(self._window) and self._grow():
                continue
            self._at = end
            return value
