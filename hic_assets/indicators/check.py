"""Static rules of an expression: numbers against conditions, whole exponents, where a value may be missing.

Belongs here: everything refused by looking at the tree alone. Does not belong here: lookup, SQL, evaluation.
Sources: AntlrParserUtils.castClass/makeDouble/makeBoolean (ANTLR parser) and Typed.toNumberTypeCoercion
(dhis2/expression-parser) disagree on conditions as numbers, so both directions are refused;
AntlrOperatorMathPower and BinaryOperator.exp cut exponents to whole numbers; FunctionRemoveZeros switches
null replacement off for what follows.
"""

from __future__ import annotations

import math
from typing import Final, Literal

from hic_assets.indicators.errors import ExpressionError
from hic_assets.indicators.lexer import NUMBER, refusal
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
    children,
    unparse,
)

MAX_EXPONENT: Final = 100

Type = Literal["number", "condition"]
_COMPARE = frozenset(("==", "!=", "<", ">", "<=", ">="))
_LOGIC = frozenset(("&&", "||"))
_KEEPS_MISSING = frozenset(("isNull", "isNotNull", "firstNonNull"))
_NO_ZEROS = frozenset(("greatest", "least", "is"))


def check(node: Node, text: str) -> None:
    """Raise ExpressionError unless `node` is a number whose every part has one meaning in DHIS2."""
    checker = _Checker(text)
    checker.need(node, "number", protected=False, zeros=True)
    if checker.zeros and nullable(node, zeros=False):
        raise refusal("removeZeros", text, node.pos)


def is_condition(node: Node) -> bool:
    """Whether the node yields true/false (only the outermost operator is looked at)."""
    match node:
        case Boolean():
            return True
        case Unary():
            return node.op == "!"
        case Chain():
            return node.ops[0] in _COMPARE | _LOGIC
        case Call(name="if"):
            return is_condition(node.args[1])
        case Call():
            return node.name in ("isNull", "isNotNull", "is")
        case _:
            return False


def text_number(value: str) -> float | None:
    """The number a text literal reads as, None for other text."""
    body = value.removeprefix("-")
    if not NUMBER.fullmatch(body) or math.isinf(float(body)):
        return None
    return float(value)


def whole_exponent(node: Node) -> int | None:
    """The exponent when it is a whole-number constant within the limit, else None."""
    match node:
        case Number():
            fits = node.value % 1 == 0 and node.value <= MAX_EXPONENT
            return int(node.value) if fits else None
        case Unary(op="+" | "-"):
            value = whole_exponent(node.operand)
            return value if value is None or node.op == "+" else -value
        case Power():
            base, exponent = whole_exponent(node.base), whole_exponent(node.exponent)
            if base is None or exponent is None or exponent < 0:
                return None
            return base**exponent if abs(base**exponent) <= MAX_EXPONENT else None
        case _:
            return None


def nullable(node: Node, *, protected: bool = False, zeros: bool = True) -> bool:
    """Whether the value can be missing (null; not-a-number is not missing).

    `protected`: inside isNull, isNotNull or firstNonNull, where DHIS2 does not replace missing items by 0
    (CommonExpressionVisitor.visitAllowingNulls). `zeros`: count what removeZeros removes as missing.
    """
    match node:
        case Item():
            return protected and node.operand.kind in ("data_element", "reporting")
        case IndicatorValue():
            return protected
        case Call(name="isNull" | "isNotNull"):
            return False
        case Call(name="firstNonNull"):
            return all(nullable(arg, protected=True) for arg in node.args)
        case Call(name="greatest" | "least"):
            return all(nullable(arg, protected=protected, zeros=zeros) for arg in node.args)
        case Call(name="removeZeros"):
            return zeros or nullable(node.args[0], protected=protected, zeros=zeros)
        case _:
            return any(nullable(child, protected=protected, zeros=zeros) for child in children(node))


class _Checker:
    def __init__(self, text: str) -> None:
        self.text = text
        self.zeros = False  # an unprotected removeZeros was seen

    def need(self, node: Node, kind: Type, *, protected: bool, zeros: bool) -> None:
        if is_condition(node) != (kind == "condition"):
            code = "condition as number" if kind == "number" else "number as condition"
            raise self.refuse(code, node)
        self.inside(node, protected=protected, zeros=zeros)

    def inside(self, node: Node, *, protected: bool, zeros: bool) -> None:
        match node:
            case Text():
                if text_number(node.value) is None:
                    raise self.refuse("text", node)
            case Unary():
                kind: Type = "condition" if node.op == "!" else "number"
                self.need(node.operand, kind, protected=protected, zeros=zeros)
            case Power():
                self.need(node.base, "number", protected=protected, zeros=zeros)
                if whole_exponent(node.exponent) is None:
                    raise self.refuse("fractional exponent", node.exponent)
            case Chain():
                self.chain(node, protected=protected, zeros=zeros)
            case Call():
                self.call(node, protected=protected, zeros=zeros)
            case _:
                return

    def chain(self, node: Chain, *, protected: bool, zeros: bool) -> None:
        logic = node.ops[0] in _LOGIC
        equality = node.ops[0] in ("==", "!=")
        if node.ops[0] in _COMPARE and len(node.terms) > 2:
            if not equality or not is_condition(node.terms[2]):
                raise self.refuse("condition as number", node)
            raise ExpressionError("write brackets: which comparison comes first?", self.text, node.pos, code="type")
        conditions = logic or (equality and all(is_condition(term) for term in node.terms))
        for term in node.terms:
            self.need(term, "condition" if conditions else "number", protected=protected, zeros=zeros and not logic)
            if logic and nullable(term, protected=protected):
                raise self.refuse("missing condition", term)

    def call(self, node: Call, *, protected: bool, zeros: bool) -> None:
        if node.name == "removeZeros" and not protected:
            if not zeros:
                raise self.refuse("removeZeros", node)
            self.zeros = True
        protected = protected or node.name in _KEEPS_MISSING
        zeros = zeros and node.name not in _NO_ZEROS
        for index, arg in enumerate(node.args):
            self.need(arg, self.argument(node, index), protected=protected, zeros=zeros)
            if node.name == "is" and nullable(arg, protected=protected):
                raise self.refuse("missing condition", arg)

    def argument(self, node: Call, index: int) -> Type:
        """The type an argument must have; isNull takes either, both branches of if must agree."""
        if node.name in ("isNull", "isNotNull"):
            return "condition" if is_condition(node.args[index]) else "number"
        if node.name == "if":
            return "condition" if index == 0 or is_condition(node.args[1]) else "number"
        return "number"

    def refuse(self, code: str, node: Node) -> ExpressionError:
        return refusal(code, self.text, node.pos, item=unparse(node))
