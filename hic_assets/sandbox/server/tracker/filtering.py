"""``filter=UID:operator:value`` of tracker lists, on attributes and data values.

Belongs here: that language. Does not belong here: ``filter`` of metadata lists (see ``server.filters``).
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from hic_assets.sandbox.server.replies import ApiError
from hic_assets.sandbox.server.tracker.question import Asked

OPERATORS: dict[str, Callable[[pl.Expr, str], pl.Expr]] = {
    "eq": lambda v, o: v.str.to_lowercase() == o.lower(),
    "ne": lambda v, o: v.str.to_lowercase() != o.lower(),
    "gt": lambda v, o: v > o,
    "ge": lambda v, o: v >= o,
    "lt": lambda v, o: v < o,
    "le": lambda v, o: v <= o,
    "like": lambda v, o: v.str.to_lowercase().str.contains(o.lower(), literal=True),
    "sw": lambda v, o: v.str.to_lowercase().str.starts_with(o.lower()),
    "ew": lambda v, o: v.str.to_lowercase().str.ends_with(o.lower()),
    "in": lambda v, o: v.str.to_lowercase().is_in(o.lower().split(";")),
}


def value_filters(asked: Asked, column: str, key: str) -> list[pl.Expr]:
    """Conditions of ``filter``, one a uid; ApiError 400 for what is no filter. Values are compared as text."""
    found = []
    for text in filter(None, ",".join(asked.params.getlist("filter")).split(",")):
        uid, *rest = text.split(":")
        if len(rest) % 2:
            raise ApiError(400, None, f"Query item or filter is invalid: {text}")
        value = pl.element().struct.field("value")
        test = pl.element().struct.field(key) == uid
        for operator, operand in zip(rest[::2], rest[1::2], strict=True):
            if operator.lower() not in OPERATORS:
                raise ApiError(400, None, f"Query item or filter is invalid: {text}")
            test &= OPERATORS[operator.lower()](value, operand)
        found.append(pl.col(column).list.eval(test).list.any())
    return found
