"""Raw records to a frame of text columns by the members of a resource. Pure, column by column.

Text is faithful to the source: 1.50 stays 1.50, and integers of any length stay exact, since numbers are never read as
numbers. A record that is no object, or whose text is no Unicode, is a reject; nothing else is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec
import polars as pl

from hic_assets.extract.rest.bodies import RawRecord, without_half_pairs
from hic_assets.extract.rest.moments import instants
from hic_assets.extract.rest.resource import Form, Member

Reject = tuple[str, str, str]
NOT_JSON = "not_json"
NOT_AN_OBJECT = "not_an_object"
NOT_TEXT = "not_text"
SHAPE = "shape"
# Of a record that no row comes of: enough to find it by, and no flood where each is as long as a page.
REJECT_CHARACTERS = 100_000
MOST_UNKNOWN, NAME_CHARACTERS = 100, 100
"""Names that are remembered, and how much of each: a broken server makes a new one for every record."""

KEY_CHARACTERS = 1_000
"""Of a key that it is known by: longer ones are none."""

_Refused = tuple[bytes, str, str]
_Row = dict[str, msgspec.Raw]
_Cell = msgspec.Raw | None
_NULL = msgspec.Raw(b"null")
_rows = msgspec.json.Decoder(list[_Row]).decode
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_row = msgspec.json.Decoder(_Row).decode
_text = msgspec.json.Decoder(str).decode
_canonical = msgspec.json.Encoder(order="sorted").encode
_as_written = msgspec.json.Decoder(float_hook=lambda number: msgspec.Raw(number.encode())).decode


@dataclass(frozen=True)
class Decoded:
    """`frame`: one row a record, every column String, in the members' order. `rejects`: (text, rule, reason), the text cut
    where it is long. `reject_keys`: their keys as a column would have them, found in the whole text; None where there is none.

    `unknown`: dotted names of members that no column takes. `without_nul`: no text holds the character NUL.
    """

    frame: pl.DataFrame
    rejects: list[Reject]
    reject_keys: list[str | None]
    unknown: tuple[str, ...]
    without_nul: bool


@dataclass
class _Node:
    """Where the members stand in a record: columns to take here, and nodes below."""

    taken: set[str] = field(default_factory=set)
    below: dict[str, _Node] = field(default_factory=dict)


def decode(records: Sequence[RawRecord], members: Sequence[Member]) -> Decoded:
    """Never raises for what a record holds."""
    rows, texts, refused = _objects(records)
    found = _take(rows, _tree(members))
    if found.odd:
        refused += [(bytes(texts[n]), SHAPE, f"{path} is no object") for n, path in sorted(found.odd.items())]
        keep = [n for n in range(len(rows)) if n not in found.odd]
        rows, texts = [rows[n] for n in keep], [texts[n] for n in keep]
        found = _take(rows, _tree(members))
    frame = pl.DataFrame([_column(found.cells[member.path], member) for member in members])
    without_nul = not any(b"\\u0000" in bytes(text) for text in texts)
    rejects, keys = [_reject(*one) for one in refused], [_key_of(data, members) for data, _, _ in refused]
    return Decoded(frame, rejects, keys, tuple(found.unknown), without_nul)


@dataclass
class _Taken:
    """Cells by dotted path, NULL where nothing stands; names that nobody takes; the rows where the way to a member
    leads over what is no object, with the path of that.
    """

    cells: dict[str, list[_Cell]] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)
    odd: dict[int, str] = field(default_factory=dict)


def _objects(records: Sequence[RawRecord]) -> tuple[list[_Row], Sequence[RawRecord], list[_Refused]]:
    """The records that are objects of Unicode text, their bytes, and the others."""
    joined = b"[" + b",".join(records) + b"]"
    try:
        joined.decode()
        rows = _rows(joined)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        rows = []
    if len(rows) == len(records) and _apart(joined, records):
        return rows, records, []
    return _one_by_one(records)


def _apart(joined: bytes, records: Sequence[RawRecord]) -> bool:
    """Whether the records are JSON each: lines that are none alone may be when joined."""
    return not isinstance(records[0] if records else None, bytes) or list(map(bytes, _raws(joined))) == records


def _one_by_one(records: Sequence[RawRecord]) -> tuple[list[_Row], list[RawRecord], list[_Refused]]:
    rows: list[_Row] = []
    texts: list[RawRecord] = []
    rejects: list[_Refused] = []
    for record in records:
        data = without_half_pairs(bytes(record))
        try:
            data.decode()
            rows.append(_row(data))
        except UnicodeDecodeError:
            rejects.append((data, NOT_TEXT, "the record holds bytes that are no UTF-8, or half a character"))
        except msgspec.ValidationError:
            rejects.append((data, NOT_AN_OBJECT, "a record must be a JSON object"))
        except (msgspec.DecodeError, RecursionError):
            rejects.append((data, NOT_JSON, "the line is no JSON, or nested deeper than any data"))
        else:
            texts.append(record)
    return rows, texts, rejects


def _reject(data: bytes, rule: str, reason: str) -> Reject:
    text = data[: 4 * REJECT_CHARACTERS].decode("utf-8", "replace")
    return text[:REJECT_CHARACTERS], rule, reason


def _key_of(data: bytes, members: Sequence[Member]) -> str | None:
    """The key of a record that no row comes of."""
    found = [member for member in members if member.key]
    if len(found) != 1:
        return None
    try:
        row: _Row | None = _row(data.decode("utf-8", "replace"))
        *way, last = found[0].parts
        for name in way:
            row = _inner((row or {}).get(name))
        key: str | None = _column([(row or {}).get(last)], found[0])[0]
    except (msgspec.DecodeError, RecursionError):
        return None
    return key if key is None or len(key) <= KEY_CHARACTERS else None


def _tree(members: Iterable[Member]) -> _Node:
    root = _Node()
    for member in members:
        node = root
        *way, last = member.parts
        for name in way:
            node = node.below.setdefault(name, _Node())
        node.taken.add(last)
    return root


def _take(rows: Sequence[_Row], tree: _Node) -> _Taken:
    found = _Taken()
    _take_at(rows, tree, "", found)
    return found


def _take_at(rows: Sequence[_Row], node: _Node, prefix: str, found: _Taken) -> None:
    for name in node.taken:
        found.cells[prefix + name] = [row.get(name) for row in rows]
    for name, below in node.below.items():
        inner = [_inner(row.get(name)) for row in rows]
        found.odd.update({n: prefix + name for n, row in enumerate(inner) if row is None})
        _take_at([row or {} for row in inner], below, f"{prefix}{name}.", found)
    named = set().union(*rows) - node.taken - node.below.keys()
    found.unknown.update(dict.fromkeys((prefix + name)[:NAME_CHARACTERS] for name in sorted(named)[:MOST_UNKNOWN]))


def _inner(raw: _Cell) -> _Row | None:
    """The members of an object, none where there is none; None for what is something else."""
    try:
        return {} if raw is None or raw == _NULL else _row(raw)
    except msgspec.ValidationError:
        return None


def _column(cells: Sequence[_Cell], member: Member) -> pl.Series:
    texts = _json(cells) if member.form is Form.JSON else _plain(cells)
    if member.instant is not None:
        written = instants(texts, member.instant).dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+0000")
        texts = written.fill_null(texts)
    if member.true_when:
        texts = texts.is_in(sorted(member.true_when)).fill_null(False).cast(pl.String)
    return texts.alias(member.column)


def _plain(cells: Sequence[_Cell]) -> pl.Series:
    """Strings without their quotes, other JSON as it stands (lists and objects canonical); null and "" are NULL."""
    raw = pl.Series("t", [None if cell is None else bytes(cell) for cell in cells], dtype=pl.Binary).cast(pl.String)
    text = pl.col("t")
    found = raw.to_frame().select(
        pl.when(text.is_in(["null", '""']))
        .then(None)
        .when(text.str.starts_with('"'))
        .then(text.str.slice(1, text.str.len_chars() - 2))
        .otherwise(text)
        .alias("t"),
        odd=text.str.contains(r'^[\[{]|^".*\\'),
    )
    at = found["odd"].fill_null(False).arg_true()
    return found["t"].scatter(at, [_odd(cells[n]) for n in at]) if len(at) else found["t"]


def _odd(cell: _Cell) -> str:
    """A string with escapes, or JSON where text was due."""
    data = bytes(cell or b"null")
    return _text(data) if data.startswith(b'"') else _canonical(_as_written(data)).decode()


def _json(cells: Sequence[_Cell]) -> pl.Series:
    texts = [None if cell is None or cell == _NULL else _canonical(_as_written(cell)) for cell in cells]
    return pl.Series(texts, dtype=pl.Binary).cast(pl.String)
