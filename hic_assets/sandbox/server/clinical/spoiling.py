"""Faults in the records of a clinical system: what a broken client or a half-synchronised server puts among good ones.

Belongs here: JSON lines in, JSON lines out. Bytes and transport are spoiled in ``server.mischief``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hic_assets.sandbox.server.faults import Fault, Faults

Json = dict[str, Any]


@dataclass(frozen=True)
class Members:
    """Dotted names of the members of a record that faults strike: its day, its facility, and one that may differ."""

    day: str
    facility: str
    other: str


def _changed(line: bytes, dotted: str, change: Callable[[Any], object]) -> bytes:
    """The record with another value of one member."""
    record: Json = json.loads(line)
    *parents, last = dotted.split(".")
    at = record
    for name in parents:
        at = at[name]
    at[last] = change(at[last])
    return json.dumps(record, ensure_ascii=False).encode()


def _other(value: Any) -> object:
    """Another value of the kind."""
    return value + 1 if isinstance(value, int | float) and not isinstance(value, bool) else f"{value or ''}7"


# fault -> (whether the good record stays beside the bad one, what is bad about it)
SPOILERS: dict[str, tuple[bool, Callable[[bytes, Members], bytes]]] = {
    "duplicates": (True, lambda line, _: line),
    "conflicting_duplicates": (True, lambda line, members: _changed(line, members.other, _other)),
    "bad_values": (False, lambda line, members: _changed(line, members.day, lambda _: "douze")),
    "unknown_facility": (False, lambda line, members: _changed(line, members.facility, lambda _: "9999999")),
    # Latin-1 in the first text of the record, as an old import leaves it
    "invalid_utf8": (False, lambda line, _: line.replace(b'":"', b'":"\xe9', 1)),
}


def spoiled(lines: list[bytes], members: Members, struck: Mapping[str, Fault], faults: Faults) -> list[bytes]:
    """The lines of one page with the faults that struck, option ``rows`` records each; counted in ``faults``."""
    made = list(lines)
    for name, (beside, spoil) in SPOILERS.items():
        if name not in struck:
            continue
        rows = min(int(struck[name].options.get("rows", 3)), len(lines))
        bad = [spoil(line, members) for line in lines[:rows]]
        made = made + bad if beside else bad + made[rows:]
        faults.count(name, rows)
    return made
