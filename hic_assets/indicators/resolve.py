"""From text to a checked tree: constants replaced by numbers, nested indicators inlined, cycles refused.

Belongs here: looking up `C{}` and `N{}`. Does not belong here: reading metadata tables (see catalogue.py).
A nested indicator is a *value* like a data element's, missing when its numerator or denominator is missing or
its denominator is 0 (DHIS2 DefaultExpressionService.getIndicatorValueObject), not a piece of text pasted in.
DHIS2 refuses cyclic references too (dhis2-core pull request 3580).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from hic_assets.indicators.check import check
from hic_assets.indicators.errors import ExpressionError
from hic_assets.indicators.expression import parse
from hic_assets.indicators.nodes import (
    Call,
    Chain,
    IndicatorRef,
    IndicatorValue,
    Item,
    Node,
    Number,
    Power,
    Unary,
    children,
)

MAX_NODES: Final = 20_000
"""Most nodes of one expression after inlining."""
MAX_NESTING: Final = 5
"""Deepest chain of indicators within indicators."""


class IndicatorDefinition(NamedTuple):
    """What a nested indicator needs: both expressions, its type's factor (100 for percent), annualized."""

    numerator: str
    denominator: str
    factor: float
    annualized: bool = False


Constants: TypeAlias = Mapping[str, Decimal | float]
Indicators: TypeAlias = Mapping[str, tuple[str, str, float] | IndicatorDefinition]


def prepare(text: str, constants: Constants, indicators: Indicators, *, uid: str = "") -> Node:
    """The checked tree of `text`; `uid` is the indicator it belongs to, so that naming itself is a cycle."""
    resolver = _Resolver(constants, indicators)
    return resolver.expression(text, (uid,) if uid else ())


@dataclass
class _Side:
    node: Node
    size: int


class _Resolver:
    def __init__(self, constants: Constants, indicators: Indicators) -> None:
        self.constants = constants
        self.indicators = indicators
        self.done: dict[str, tuple[_Side, _Side]] = {}
        self.sizes: dict[str, int] = {}

    def expression(self, text: str, path: tuple[str, ...]) -> Node:
        node = self.resolve(parse(text), text, path)
        check(node, text)
        return node

    def resolve(self, node: Node, text: str, path: tuple[str, ...]) -> Node:
        match node:
            case Item() if node.operand.kind == "constant":
                return self.constant(node, text)
            case IndicatorRef():
                return self.indicator(node, text, path)
            case Unary():
                return replace(node, operand=self.resolve(node.operand, text, path))
            case Power():
                base, exponent = (self.resolve(n, text, path) for n in (node.base, node.exponent))
                return replace(node, base=base, exponent=exponent)
            case Chain():
                return replace(node, terms=tuple(self.resolve(n, text, path) for n in node.terms))
            case Call():
                return replace(node, args=tuple(self.resolve(n, text, path) for n in node.args))
            case _:
                return node

    def constant(self, node: Item, text: str) -> Node:
        uid = node.operand.ids[0]
        value = self.constants.get(uid)
        if value is None or not math.isfinite(value):
            raise ExpressionError("no such constant", text, node.pos, item=node.operand.source, code="unknown")
        number = Number(abs(float(value)), node.pos)
        return Unary("-", number, node.pos) if value < 0 else number

    def indicator(self, node: IndicatorRef, text: str, path: tuple[str, ...]) -> Node:
        item = f"N{{{node.uid}}}"
        if node.uid in path:
            cycle = " -> ".join((*path[path.index(node.uid) :], node.uid))
            raise ExpressionError(f"indicators refer to each other ({cycle})", text, node.pos, item=item, code="cycle")
        if len(path) > MAX_NESTING:
            reason = f"indicators nested more than {MAX_NESTING} deep"
            raise ExpressionError(reason, text, node.pos, item=item, code="limit")
        if node.uid not in self.indicators:
            raise ExpressionError("no such indicator", text, node.pos, item=item, code="unknown")
        definition = IndicatorDefinition(*self.indicators[node.uid])
        if not math.isfinite(definition.factor):
            raise ExpressionError("the indicator has no factor", text, node.pos, item=item, code="unknown")
        try:
            numerator, denominator = self.sides(node.uid, definition, path)
        except ExpressionError as error:
            if error.code == "cycle":
                raise
            reason = f"in indicator {node.uid}: {error.reason} ({error.item} at character {error.position})"
            raise ExpressionError(reason, text, node.pos, item=item, code=error.code) from error
        self.sizes[text] = self.sizes.get(text, 0) + numerator.size + denominator.size
        if self.sizes[text] > MAX_NODES:
            raise ExpressionError("too large with its indicators inlined", text, node.pos, item=item, code="limit")
        factor, annualized = float(definition.factor), definition.annualized
        return IndicatorValue(node.uid, numerator.node, denominator.node, factor, annualized, node.pos)

    def sides(self, uid: str, definition: IndicatorDefinition, path: tuple[str, ...]) -> tuple[_Side, _Side]:
        if uid not in self.done:
            self.done[uid] = (
                self.side(definition.numerator, (*path, uid)),
                self.side(definition.denominator, (*path, uid)),
            )
        return self.done[uid]

    def side(self, text: str, path: tuple[str, ...]) -> _Side:
        self.sizes.pop(text, None)
        node = self.expression(text, path)
        own = sum(1 for n in walk(node) if not isinstance(n, IndicatorValue))
        return _Side(node, own + self.sizes.get(text, 0))


def walk(node: Node) -> Iterator[Node]:
    """The node and what is under it, not descending into nested indicators."""
    yield node
    if not isinstance(node, IndicatorValue):
        for child in children(node):
            yield from walk(child)
