"""The reference interpreter: what an expression is worth for given operand values.

Belongs here: DHIS2's evaluation rules, one by one, in Python. Does not belong here: SQL.
It is the oracle of the SQL tests and explains single values. Rules and their sources in DHIS2:

* a missing item counts as 0, except inside isNull, isNotNull and firstNonNull (ExpressionState.handleNulls);
* when items were read and all of them were missing there is no value; only items outside those functions and
  on the taken branches count (DefaultExpressionService.getExpressionValue, SKIP_IF_ALL_VALUES_MISSING);
  constants, group counts and [days] do not count (ItemConstant, ItemOrgUnitGroupCount, ItemDays);
* a null result is 0, unless removeZeros made it (same method, FunctionRemoveZeros);
* arithmetic with null is null, with not-a-number is not-a-number (AntlrComputeFunction); x/0 and x%0 are not-
  a-number (AntlrOperatorMathDivide, AntlrOperatorMathModulus); not-a-number as result is no value;
* comparison orders not-a-number above all numbers (Double.compareTo in AntlrOperatorCompare).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import TypeAlias, cast

from hic_assets.indicators.check import nullable, text_number, whole_exponent
from hic_assets.indicators.nodes import (
    Boolean,
    Call,
    Chain,
    IndicatorValue,
    Item,
    Node,
    Number,
    Power,
    Text,
    Unary,
)
from hic_assets.indicators.resolve import Constants, Indicators, prepare
from hic_assets.indicators.window import ARITHMETIC, OPERAND, for_power

Value: TypeAlias = float | bool | None
_EXACT = Context(prec=1000)


def evaluate_expression(
    text: str,
    values: Mapping[str, float | None],
    *,
    days: float | None = None,
    constants: Constants | None = None,
    indicators: Indicators | None = None,
) -> float | None:
    """The value of an expression, None when there is none.

    `values` is by operand key; a key left out is missing.
    """
    return evaluate(prepare(text, constants or {}, indicators or {}), values, days=days)


def evaluate(node: Node, values: Mapping[str, float | None], *, days: float | None = None) -> float | None:
    """The value of a prepared tree (resolve.prepare)."""
    run = _Run(values, days)
    value = run.number(node, protected=False)
    if run.found and not run.present:
        return None
    if value is None:
        return 0.0 if nullable(node, zeros=False) else None
    return None if math.isnan(value) else value


class _Run:
    def __init__(self, values: Mapping[str, float | None], days: float | None) -> None:
        self.values = values
        self.days = days
        self.found = False
        self.present = False

    def number(self, node: Node, *, protected: bool) -> float | None:
        return cast("float | None", self.visit(node, protected=protected))

    def visit(self, node: Node, *, protected: bool) -> Value:
        match node:
            case Number() | Boolean():
                return node.value
            case Text():
                return text_number(node.value)
            case Item():
                return self.item(node, protected=protected)
            case IndicatorValue():
                return self.count(self.nested(node), protected=protected)
            case Unary():
                return self.unary(node, protected=protected)
            case Power():
                return self.power(node, protected=protected)
            case Chain():
                return self.chain(node, protected=protected)
            case Call():
                return self.call(node, protected=protected)
        raise TypeError(f"not prepared: {node}")

    # -- items ----------------------------------------------------------------

    def item(self, node: Item, *, protected: bool) -> float | None:
        if node.operand.kind == "days":
            return math.nan if self.days is None else OPERAND.keep(self.days)
        value = self.values.get(node.operand.key)
        kept = None if value is None else OPERAND.keep(value)
        if node.operand.kind == "org_unit_group":
            return 0.0 if kept is None else kept
        return self.count(kept, protected=protected)

    def count(self, value: float | None, *, protected: bool) -> float | None:
        if protected:
            return value
        self.found = True
        self.present = self.present or value is not None
        return 0.0 if value is None else value

    def nested(self, node: IndicatorValue) -> float | None:
        numerator = evaluate(node.numerator, self.values, days=self.days)
        denominator = evaluate(node.denominator, self.values, days=self.days)
        if numerator is None or not denominator:
            return None
        value = _arithmetic("*", numerator, node.factor)
        if node.annualized:
            days = math.nan if self.days is None else OPERAND.keep(self.days)
            value = _arithmetic("*", value, _arithmetic("/", 365.0, days))
        value = _arithmetic("/", value, denominator)
        return None if math.isnan(value) else value

    # -- operators ------------------------------------------------------------

    def unary(self, node: Unary, *, protected: bool) -> Value:
        value = self.visit(node.operand, protected=protected)
        if value is None or node.op == "+":
            return value
        return not value if node.op == "!" else -value

    def power(self, node: Power, *, protected: bool) -> Value:
        base = self.number(node.base, protected=protected)
        exponent = whole_exponent(node.exponent)
        if base is None or exponent is None:
            return None
        base = for_power(exponent).keep(base)
        if math.isnan(base) or (base == 0 and exponent < 0):
            return math.nan
        return cast("float", base ** float(exponent))

    def chain(self, node: Chain, *, protected: bool) -> Value:
        value = self.visit(node.terms[0], protected=protected)
        for op, term in zip(node.ops, node.terms[1:], strict=True):
            if value is None or (op == "&&" and not value) or (op == "||" and value):
                return value
            right = self.visit(term, protected=protected)
            if right is None:
                return None
            value = right if op in ("&&", "||") else _binary(op, value, right)
        return value

    # -- functions ------------------------------------------------------------

    def call(self, node: Call, *, protected: bool) -> Value:
        match node.name:
            case "if":
                condition = self.visit(node.args[0], protected=protected)
                return None if condition is None else self.visit(node.args[1 if condition else 2], protected=protected)
            case "isNull":
                return self.visit(node.args[0], protected=True) is None
            case "isNotNull":
                return self.visit(node.args[0], protected=True) is not None
            case "firstNonNull":
                for arg in node.args:
                    if (value := self.visit(arg, protected=True)) is not None:
                        return value
                return None
            case "is":
                first = self.number(node.args[0], protected=protected)
                return any(_binary("==", first, self.visit(arg, protected=protected)) for arg in node.args[1:])
        values = [self.number(arg, protected=protected) for arg in node.args]
        if node.name in ("greatest", "least"):
            return _extreme(node.name, [value for value in values if value is not None])
        if any(value is None for value in values):
            return None
        first, *rest = cast("list[float]", values)
        if node.name == "removeZeros":
            return None if first == 0 else first
        if node.name == "log10":
            return _log(first, math.log10)
        return _arithmetic("/", _log(first, math.log), _log(rest[0], math.log)) if rest else _log(first, math.log)


def _binary(op: str, left: Value, right: Value) -> Value:
    a, b = cast("float", left), cast("float", right)
    if op in ("+", "-", "*", "/", "%"):
        return _arithmetic(op, a, b)
    order = _compare(a, b)
    return {
        "==": order == 0,
        "!=": order != 0,
        "<": order < 0,
        ">": order > 0,
        "<=": order <= 0,
        ">=": order >= 0,
    }[op]


def _compare(a: float, b: float) -> int:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) - math.isnan(b)
    return (a > b) - (a < b)


def _arithmetic(op: str, a: float, b: float) -> float:
    a, b = ARITHMETIC.keep(a), ARITHMETIC.keep(b)
    if math.isnan(a) or math.isnan(b):
        return math.nan
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
    if b == 0:
        return math.nan
    return a / b if op == "/" else _remainder(a, b)


def _remainder(a: float, b: float) -> float:
    """Decimal remainder with the sign of `a` (BigDecimal.remainder), on 15 significant digits."""
    return float(_EXACT.remainder(Decimal(f"{a:.15g}"), Decimal(f"{b:.15g}")))


def _log(value: float, function: Callable[[float], float]) -> float:
    value = ARITHMETIC.keep(value)
    if math.isnan(value) or value <= 0:
        return math.nan
    return function(value)


def _extreme(name: str, values: list[float]) -> float | None:
    """Greatest or least of the values that are there; not-a-number wins, wherever it stands."""
    if not values:
        return None
    if any(math.isnan(value) for value in values):
        return math.nan
    return max(values) if name == "greatest" else min(values)
