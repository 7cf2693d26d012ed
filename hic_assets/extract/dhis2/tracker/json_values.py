"""Lists of values as one canonical JSON object a record: what `attributes` and `data_values` hold. Pure.

Canonical: keys sorted, no spaces, text as UTF-8 and not escaped (but what JSON must escape: quotes, control characters,
and so NUL), every value a string. So that equal values are equal texts, whichever endpoint gave them in which order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from hic_assets.extract.dhis2.envelopes import as_text

_encode = msgspec.json.Encoder(order="sorted").encode
# Fractions as they were written: 1.50 is not 1.5.
as_written = msgspec.json.Decoder(float_hook=str).decode


class NoValues(Exception):
    """What should be a list of values is none. The text holds no value."""


VALUE_KEYS = {"attributes": "attribute", "dataValues": "dataElement"}
"""What a value of a list is called by."""
ABSENT = msgspec.Raw(b"null")
"""What stands for a member that is not there."""
Canonical = Callable[[msgspec.Raw], bytes | None]


@cache
def canonical_values(key: str) -> Canonical:
    """From a list of objects with `key` and `value` to the canonical text; None where there is no value.

    Numbers and booleans become the text JSON has for them; values that are null are left out; of one key the last
    counts. The function raises NoValues for what is no such list, msgspec.DecodeError for what is no JSON.
    """
    value = msgspec.defstruct("Value", [("key", str), ("value", str | None, None)], gc=False, rename={"key": key})
    decode: Callable[[msgspec.Raw], Any] = msgspec.json.Decoder(tuple[value, ...] | None).decode  # type: ignore[valid-type]

    def canonical(raw: msgspec.Raw) -> bytes | None:
        try:
            found = decode(raw)
        except msgspec.ValidationError:
            return _of_any_type(raw, key)
        kept = {one.key: one.value for one in found or () if one.value is not None}
        return _encode(kept) if kept else None

    return canonical


def canonical_json(raw: msgspec.Raw) -> bytes | None:
    """Any JSON with sorted keys and no spaces; None where it is null."""
    return None if raw is ABSENT or raw == ABSENT else _encode(msgspec.json.decode(raw))


def _of_any_type(raw: msgspec.Raw, key: str) -> bytes | None:
    found: Any = as_written(raw)
    if not isinstance(found, list):
        raise NoValues("not a list")
    if not all(isinstance(one, dict) and isinstance(one.get(key), str) for one in found):
        raise NoValues(f"something in it names no {key}")
    values = {one[key]: as_text(one.get("value")) for one in found}
    kept = {name: value for name, value in values.items() if value is not None}
    return _encode(kept) if kept else None
