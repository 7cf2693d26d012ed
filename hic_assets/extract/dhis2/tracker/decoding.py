"""A reply's JSON into records (contract 1.7). Pure: bytes in, typed records out; what becomes of them is others' matter.

Decoding is also the proof that the body is whole. msgspec decodes only the members that are read, into structs; a
page whose types are not the usual ones (a number where text is due) is read again record by record, so that one odd
record spoils nothing.

Measured, CPU seconds for 200,000 events of 10 data values each (194 MB of JSON in 66 pages) up to the frame with
canonical values, each way giving the same frame: msgspec, as here, 1.3 (decoding 0.2, values 0.6, columns 0.5); orjson
and dicts 2.7; the json module and dicts 4.0; Polars' JSON decoder and list expressions 7.6. Decoding the values of a
whole page at once costs a fifth more than one event's at a time, whose objects die young.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from hic_assets.extract.dhis2.envelopes import as_text
from hic_assets.extract.dhis2.tracker.fields import Form, Member
from hic_assets.extract.dhis2.tracker.json_values import ABSENT, as_written

Record = Any
"""A struct with one attribute a column, and `enrollments` where the shape nests them. Made by `msgspec.defstruct`.

Lists of values and geometries are still JSON in it (`msgspec.Raw`).
"""
Reject = tuple[str, str, str]
MANY_ESCAPES = 20_000


class WrongShape(ValueError):
    """Valid JSON, but no reply of this kind. The text holds no value of a record."""


@dataclass(frozen=True)
class Shape:
    """How the records of one kind stand in a reply. `lists`: names their list may have.

    `nested_day`: the member of nested enrolments that holds their day; None where none are nested.
    """

    members: tuple[Member, ...]
    lists: tuple[str, ...]
    nested_day: str | None = None


@dataclass(frozen=True)
class Paging:
    """What a reply says of its page; None where it does not say."""

    page_size: int | None = None
    total: int | None = None
    page_count: int | None = None
    has_next: bool = False


@dataclass(frozen=True)
class Decoded:
    """The records of a reply, those that are none (text, rule, reason), and its paging.

    `without_nul`: no text of it holds the character NUL.
    """

    records: list[Record]
    rejects: list[Reject]
    paging: Paging
    without_nul: bool


class _Pager(msgspec.Struct, gc=False, rename="camel"):
    page_size: int | None = None
    total: int | None = None
    page_count: int | None = None
    next_page: Any = None


class _Types:
    """The struct types and decoders of one shape."""

    def __init__(self, shape: Shape) -> None:
        self.record = _record_type(shape)
        self.page = msgspec.json.Decoder(_envelope(shape, self.record))
        self.items = msgspec.json.Decoder(_envelope(shape, msgspec.Raw))
        self.item = msgspec.json.Decoder(self.record)


_types = lru_cache(maxsize=64)(_Types)
# An escaped backslash and a whole pair are passed over, so that what is left to match is half a pair.
_SURROGATE = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_members_of = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode(body: bytes, shape: Shape) -> Decoded:
    """Raises WrongShape, and msgspec.DecodeError or UnicodeDecodeError for what is no whole JSON."""
    data = body.removeprefix(b"\xef\xbb\xbf")
    types = _types(shape)
    rejects: list[Reject] = []
    try:
        envelope = types.page.decode(data)
        records = _listed(envelope, shape, data)
    except msgspec.ValidationError:
        try:
            envelope = types.items.decode(data)
        except msgspec.ValidationError as exc:
            raise WrongShape(f"the reply is of another shape ({exc})") from None
        records = []
        for raw in _listed(envelope, shape, data):
            record = _one(raw, types, shape)
            (rejects if isinstance(record, tuple) else records).append(record)
    return Decoded(records, rejects, _paging(envelope), not _may_hold_nul(data))


def _may_hold_nul(data: bytes) -> bool:
    """Whether JSON text spells U+0000, which can only stand there escaped.

    Looks at backslashes, which are found several times faster than the six bytes as long as they are few.
    """
    at = data.find(b"\\")
    for _ in range(MANY_ESCAPES):
        if at < 0:
            return False
        if data.startswith(b"u0000", at + 1):
            return True
        at = data.find(b"\\", at + 2)
    return b"\\u0000" in data


def mended(body: bytes) -> bytes:
    """The body with U+FFFD for what is no character: bytes that are not UTF-8, halves of surrogate pairs.

    Nothing else is changed; Python's own decoder takes these, msgspec does not.
    """
    text = body.decode("utf-8-sig", "replace").encode()
    return _SURROGATE.sub(lambda found: b"\\ufffd" if found[1] else found[0], text)


def _record_type(shape: Shape) -> type[msgspec.Struct]:
    fields = [(m.column, *_FORMS.get(m.form, (str | None, None))) for m in shape.members]
    names = {m.column: m.name for m in shape.members}
    if shape.nested_day is not None:
        nested = [("program", str | None, None), ("day", str | None, None), ("deleted", bool | None, None)]
        enrolment = msgspec.defstruct("Nested", nested, gc=False, rename={"day": shape.nested_day})
        # A tuple, since the garbage collector then forgets about them.
        fields.append(("enrollments", tuple[enrolment, ...] | None, None))  # type: ignore[valid-type]
    return msgspec.defstruct("Record", fields, gc=False, rename=names)


_RAW = {Form.JSON, Form.VALUES}
_FORMS: Mapping[Form, tuple[Any, Any]] = {
    Form.FLAG: (bool | None, None),
    **dict.fromkeys(_RAW, (msgspec.Raw, ABSENT)),
}


def _envelope(shape: Shape, item: Any) -> type[msgspec.Struct]:
    lists: list[tuple[str, Any, Any]] = [(f"list_{n}", list[item] | None, None) for n in range(len(shape.lists))]
    paging: list[tuple[str, Any, Any]] = [
        ("pager", _Pager | None, None),
        ("page_size", int | None, None),
        ("total", int | None, None),
        ("page_count", int | None, None),
    ]
    names = {f"list_{n}": name for n, name in enumerate(shape.lists)}
    names |= {"page_size": "pageSize", "page_count": "pageCount"}
    return msgspec.defstruct("Envelope", [*lists, *paging], gc=False, rename=names)


def _listed(envelope: Any, shape: Shape, data: bytes) -> list[Any]:
    for n in range(len(shape.lists)):
        found: list[Any] | None = getattr(envelope, f"list_{n}")
        if found is not None:
            return found
    there = ", ".join(sorted(_members_of.decode(data))) or "nothing"
    raise WrongShape(f"the reply has no list {' or '.join(shape.lists)}; it has {there}")


def _paging(envelope: Any) -> Paging:
    """From `pager`, else from the flat members (2.38 to 2.40)."""
    pager = envelope.pager or _Pager()

    def either(name: str) -> int | None:
        nested: int | None = getattr(pager, name)
        flat: int | None = getattr(envelope, name)
        return flat if nested is None else nested

    has_next = pager.next_page is not None
    return Paging(either("page_size"), either("total"), either("page_count"), has_next)


def _one(raw: msgspec.Raw, types: _Types, shape: Shape) -> Record | Reject:
    """One record of whatever types; a reject where it cannot be one."""
    try:
        return types.item.decode(raw)
    except msgspec.ValidationError:
        text = bytes(raw).decode()
    try:
        found = _members_of.decode(raw)
    except msgspec.ValidationError:
        return text, "not_an_object", "a record must be a JSON object"
    try:
        return types.record(**dict(_cells(found, shape)))
    except ValueError as exc:
        return text, "shape", str(exc)


def _cells(found: Mapping[str, msgspec.Raw], shape: Shape) -> Iterator[tuple[str, Any]]:
    for member in shape.members:
        raw = found.get(member.name, ABSENT)
        if member.form in _RAW:
            yield member.column, raw
        elif member.form is Form.FLAG:
            yield member.column, _flag(member.name, as_written(raw))
        else:
            yield member.column, as_text(as_written(raw))
    if shape.nested_day is not None:
        yield "enrollments", _nested(as_written(found.get("enrollments", ABSENT)), shape.nested_day)


def _flag(name: str, value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if value not in ("true", "false"):
        raise ValueError(f"{name} is neither true nor false")
    return bool(value == "true")


def _nested(found: Any, day: str) -> tuple[Any, ...] | None:
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("enrollments is no list of objects")
    return tuple(
        _Enrolment(as_text(one.get("program")), as_text(one.get(day)), _flag("deleted", one.get("deleted")))
        for one in found
    )


class _Enrolment(msgspec.Struct, gc=False):
    """As the nested structs of a shape, for records of unusual types."""

    program: str | None
    day: str | None
    deleted: bool | None
