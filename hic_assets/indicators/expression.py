"""Text to syntax tree: the parser of DHIS2 indicator expressions.

Belongs here: precedence, associativity, limits on nesting. Does not belong here: types, constants, SQL.
Source: rule `expr` of Expression.g4 (dhis2-antlr-expression-parser); tests MathExpressionTest and
LogicalExpressionTest of the same project fix `2^-2` = 0.25 and `-1.4/(1+1)` = -0.7. By that rule `-2^2` is
-(2^2) and `!a == b` is (!a) == b.
"""

from __future__ import annotations

from typing import Final

from hic_assets.indicators.errors import ExpressionError
from hic_assets.indicators.language import FUNCTIONS
from hic_assets.indicators.lexer import Token, refusal, tokenize
from hic_assets.indicators.nodes import (
    LEVELS,
    Boolean,
    Call,
    Chain,
    IndicatorRef,
    Item,
    Node,
    Number,
    Power,
    Text,
    Unary,
)
from hic_assets.indicators.operands import UID, Kind, Operand

MAX_DEPTH: Final = 40
"""Deepest nesting of brackets, functions and prefix operators."""

_WORD_OPS = {"and": "&&", "or": "||", "not": "!"}
_ITEM_KINDS: dict[str, Kind] = {"R": "reporting", "C": "constant", "OUG": "org_unit_group"}


def parse(text: str) -> Node:
    """The syntax tree of an expression; ExpressionError with position and excerpt for anything else."""
    parser = _Parser(text)
    node = parser.chain(0)
    parser.expect_end()
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.at = 0
        self.depth = 0

    # -- tokens ---------------------------------------------------------------

    def peek(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def operator(self) -> str:
        """The operator the next token stands for, "" when it stands for none."""
        token = self.peek()
        if token.type == "op":
            return token.value
        return _WORD_OPS.get(token.value, "") if token.type == "word" else ""

    def expect(self, value: str) -> None:
        token = self.take()
        if token.type not in ("op", "word") or token.value != value:
            raise self.unexpected(token, f"expected {value!r}")

    def expect_end(self) -> None:
        if self.peek().type != "end":
            raise self.unexpected(self.peek(), "expected an operator or the end")

    def unexpected(self, token: Token, reason: str) -> ExpressionError:
        return ExpressionError(reason, self.text, token.pos, item=token.value)

    # -- grammar --------------------------------------------------------------

    def chain(self, level: int) -> Node:
        """A run of operators of `LEVELS[level]`; beyond the last level a prefix expression."""
        if level == len(LEVELS):
            return self.unary()
        pos = self.peek().pos
        terms, ops = [self.chain(level + 1)], []
        while self.operator() in LEVELS[level]:
            ops.append(self.operator())
            self.take()
            terms.append(self.chain(level + 1))
        return Chain(tuple(ops), tuple(terms), pos) if ops else terms[0]

    def unary(self) -> Node:
        token = self.peek()
        if self.operator() not in ("+", "-", "!"):
            return self.power()
        op = self.operator()
        self.take()
        self.deeper(token)
        node = Unary(op, self.unary(), token.pos)
        self.depth -= 1
        return node

    def power(self) -> Node:
        base = self.primary()
        if self.operator() != "^":
            return base
        token = self.take()
        self.deeper(token)
        node = Power(base, self.unary(), token.pos)  # unary() comes back here: right-associative
        self.depth -= 1
        return node

    def primary(self) -> Node:
        token = self.take()
        match token.type:
            case "number":
                return self.number(token)
            case "text":
                return Text(token.value, token.pos)
            case "item":
                return self.item(token)
            case "function":
                return self.call(token)
            case "word" if token.value in ("true", "false"):
                return Boolean(token.value == "true", token.pos)
            case "op" if token.value == "(":
                self.deeper(token)
                node = self.chain(0)
                self.expect(")")
                self.depth -= 1
                return node
            case "end":
                raise self.unexpected(token, "the expression ends where a value is expected")
        hint = " (a function name and its bracket are written without a space)" if token.value in FUNCTIONS else ""
        raise self.unexpected(token, f"expected a value{hint}")

    def call(self, token: Token) -> Node:
        self.deeper(token)
        args = [self.chain(0)]
        if token.value == "is":
            self.expect("in")
            args.append(self.chain(0))
        while self.peek().type == "op" and self.peek().value == ",":
            self.take()
            args.append(self.chain(0))
        self.expect(")")
        self.depth -= 1
        least, most = FUNCTIONS[token.value]
        if not least <= len(args) <= most:
            raise self.unexpected(token, f"takes {least} to {most} arguments, not {len(args)}")
        return Call(token.value, tuple(args), token.pos)

    def number(self, token: Token) -> Node:
        value = float(token.value)
        if value == float("inf"):
            raise ExpressionError("number out of range", self.text, token.pos, item=token.value, code="limit")
        return Number(value, token.pos)

    def item(self, token: Token) -> Node:
        if token.value == "[days]":
            return Item(Operand("days"), token.pos)
        sign, _, rest = token.value[:-1].partition("{")
        for tag in ("deGroup:", "coGroup:", "co:", "&"):
            if sign == "#" and tag in rest:
                raise refusal(tag, self.text, token.pos, item=token.value)
        ids = tuple(rest.split("."))
        if sign == "N" and len(ids) == 1 and UID.fullmatch(ids[0]):
            return IndicatorRef(ids[0], token.pos)
        if sign == "#" and len(ids) > 1 and ids[-1] == "*":
            ids = ids[:-1]  # a trailing wildcard says nothing: grammar alternatives wild1 and wild2
        if sign == "N":
            raise self.unexpected(token, "not a valid item")
        try:
            return Item(Operand(_ITEM_KINDS.get(sign, "data_element"), ids), token.pos)
        except ValueError:
            raise self.unexpected(token, "not a valid item") from None

    def deeper(self, token: Token) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            reason = f"nested more than {MAX_DEPTH} deep"
            raise ExpressionError(reason, self.text, token.pos, item=token.value, code="limit")
