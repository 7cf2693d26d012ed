"""The ``fields=`` language of metadata lists: ``a,b[c,d],e[f[g]]``, ``*``, ``:all``, ``!x``, ``x~rename(y)``, ``x::size``.

Source: contract 1.2 and the DHIS2 metadata field filter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

PRESETS = {
    ":all": ["*"],
    ":owner": ["*"],
    ":identifiable": ["id", "name", "code", "created", "lastUpdated"],
    ":nameable": ["id", "name", "shortName", "code", "created", "lastUpdated"],
    ":simple": ["id", "code", "name", "displayName", "shortName", "created", "lastUpdated"],
}
_TRANSFORM = re.compile(r"(?:~|::|\|)(\w+)(?:\(([^)]*)\))?")


@dataclass
class Field:
    """One wanted property: how it is called in the reply, what of its members, and a transformation."""

    name: str
    output: str
    members: list[Field] = field(default_factory=list)
    transform: str | None = None


def split(text: str) -> list[str]:
    """Split at commas that are not inside brackets."""
    parts, depth, current = [], 0, ""
    for character in text:
        depth += (character in "[(") - (character in "])")
        if character == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += character
    return [p.strip() for p in [*parts, current] if p.strip()]


def parse(text: str) -> list[Field]:
    """Read a ``fields`` parameter."""
    found = []
    for part in split(text):
        if part in PRESETS:
            found += [Field(name, name) for name in PRESETS[part]]
            continue
        head, bracket, rest = part.partition("[")
        name, output, transform = head, head, None
        for match in _TRANSFORM.finditer(head):
            name = head[: head.index(match.group(0))] if name == head else name
            output = name if output == head else output
            if match.group(1) == "rename":
                output = match.group(2)
            else:
                transform = match.group(1)
        members = parse(rest.rsplit("]", 1)[0]) if bracket else []
        found.append(Field(name, output, members, transform))
    return found


def _transformed(value: Any, transform: str) -> Any:
    if transform == "size":
        return len(value)
    if transform in ("isEmpty", "isNotEmpty"):
        return (len(value) == 0) == (transform == "isEmpty")
    return value


def select(item: Any, wanted: list[Field]) -> Any:
    """The wanted part of an object (or of every object of a list); absent properties stay absent."""
    if isinstance(item, list):
        return [select(one, wanted) for one in item]
    if not isinstance(item, dict):
        return item
    result: dict[str, Any] = {}
    dropped = {f.name[1:] for f in wanted if f.name.startswith("!")}
    for one in wanted:
        if one.name == "*":
            result |= item
        elif one.name in item and not one.name.startswith("!"):
            value = item[one.name]
            if one.transform:
                value = _transformed(value, one.transform)
            elif one.members:
                value = select(value, one.members)
            result[one.output] = value
    return {k: v for k, v in result.items() if k not in dropped}
