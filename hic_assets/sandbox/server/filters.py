"""The ``filter=`` and ``order=`` languages of metadata lists.

Source: contract 1.2 and the DHIS2 object filter operators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hic_assets.sandbox.server.dialect import Dialect
from hic_assets.sandbox.server.replies import ApiError

Object = dict[str, Any]


def values_at(item: Any, path: list[str]) -> list[Any]:
    """The values a property path reaches, through lists."""
    if isinstance(item, list):
        return [found for one in item for found in values_at(one, path)]
    if not path:
        return [item]
    if isinstance(item, dict) and path[0] in item:
        return values_at(item[path[0]], path[1:])
    return []


def _compare(test: Callable[[Any, Any], bool]) -> Callable[[Any, str], bool]:
    def compare(value: Any, operand: str) -> bool:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return test(float(value), float(operand))
        return test(str(value), operand)

    return compare


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


OPERATORS: dict[str, Callable[[Any, str], bool]] = {
    "eq": lambda v, o: _text(v) == o,
    "ieq": lambda v, o: _text(v).lower() == o.lower(),
    "in": lambda v, o: _text(v) in [x.strip() for x in o.strip("[]").split(",")],
    "like": lambda v, o: o in _text(v),
    "ilike": lambda v, o: o.lower() in _text(v).lower(),
    "$ilike": lambda v, o: _text(v).lower().startswith(o.lower()),
    "ilike$": lambda v, o: _text(v).lower().endswith(o.lower()),
    "$like": lambda v, o: _text(v).startswith(o),
    "like$": lambda v, o: _text(v).endswith(o),
    "gt": _compare(lambda v, o: v > o),
    "ge": _compare(lambda v, o: v >= o),
    "gte": _compare(lambda v, o: v >= o),
    "lt": _compare(lambda v, o: v < o),
    "le": _compare(lambda v, o: v <= o),
    "lte": _compare(lambda v, o: v <= o),
}
NEGATED = ("eq", "in", "like", "ilike", "$ilike", "ilike$")


def predicate(text: str, dialect: Dialect) -> Callable[[Object], bool]:
    """The test of one ``property:operator[:value]``; ApiError 400 when it is none."""
    parts = text.split(":", 2)
    if len(parts) < 2:
        raise ApiError(400, "E1003", f"Invalid filter: `{text}`")
    path, operator, operand = parts[0].split("."), parts[1], parts[2] if len(parts) > 2 else ""
    if operator in ("null", "!null"):
        return lambda item: (not _present(item, path)) == (operator == "null")
    if operator == "empty" or (operator == "!empty" and dialect.not_empty_filter):
        return lambda item: (not values_at(item, path)) == (operator == "empty")
    name = operator.removeprefix("!")
    if name not in OPERATORS or (operator.startswith("!") and name not in NEGATED):
        raise ApiError(400, "E1003", f"Unknown filter operator: `{operator}`")
    test, wanted = OPERATORS[name], not operator.startswith("!")
    return lambda item: any(test(v, operand) for v in values_at(item, path)) == wanted


def _present(item: Object, path: list[str]) -> bool:
    return any(v is not None for v in values_at(item, path))


def ordered(items: list[Object], orders: list[str]) -> list[Object]:
    """By ``order=property:asc|desc|iasc|idesc`` (repeat or comma), else by case-insensitive name, then id."""
    items = sorted(items, key=lambda o: (str(o.get("name", "")).lower(), o["id"]))
    for text in reversed([part for order in orders for part in order.split(",")]):
        prop, _, direction = text.partition(":")
        ignore_case = direction.startswith("i")
        items.sort(key=lambda o: _sort_key(o, prop, ignore_case), reverse=direction.endswith("desc"))
    return items


def _sort_key(item: Object, prop: str, ignore_case: bool) -> tuple[int, float, str]:
    value = item.get(prop)
    if isinstance(value, (int, float)):
        return (0, float(value), "")
    text = str(value if value is not None else "")
    return (1, 0.0, text.lower() if ignore_case else text)
