"""The syntax tree of an indicator expression, and its text form.

Belongs here: node shapes and writing them back as DHIS2 text. Does not belong here: parsing, types,
evaluation. A run of operators of one precedence (a + b - c) is one flat `Chain`, so long sums make no deep
trees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from hic_assets.indicators.operands import Operand

LEVELS: Final[tuple[tuple[str, ...], ...]] = (
    ("||",),
    ("&&",),
    ("==", "!="),
    ("<", ">", "<=", ">="),
    ("+", "-"),
    ("*", "/", "%"),
)
"""Left-associative operators, weakest first (rule `expr` of Expression.g4). Unary and then ^ bind tighter."""

LEVEL_OF: Final = {op: level for level, ops in enumerate(LEVELS) for op in ops}
UNARY_LEVEL: Final = len(LEVELS)
POWER_LEVEL: Final = UNARY_LEVEL + 1
PRIMARY_LEVEL: Final = POWER_LEVEL + 1


@dataclass(frozen=True)
class Number:
    """A non-negative literal, or a constant's value once resolved."""

    value: float
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Text:
    """A text literal, without its quotes."""

    value: str
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Boolean:
    """true or false."""

    value: bool
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Item:
    """An operand. Constants stand here until resolved."""

    operand: Operand
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True)
class IndicatorRef:
    """`N{uid}` before it is resolved."""

    uid: str
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True)
class IndicatorValue:
    """`N{uid}` resolved: numerator x factor / denominator, x 365 / days when annualized."""

    uid: str
    numerator: Node
    denominator: Node
    factor: float
    annualized: bool
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Unary:
    """`-x`, `+x`, `!x` (`not x`)."""

    op: str
    operand: Node
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Power:
    """`base ^ exponent`."""

    base: Node
    exponent: Node
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Chain:
    """`terms[0] ops[0] terms[1] ops[1] ...`, all operators of one level, evaluated left to right."""

    ops: tuple[str, ...]
    terms: tuple[Node, ...]
    pos: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Call:
    """A function of `language.FUNCTIONS`."""

    name: str
    args: tuple[Node, ...]
    pos: int = field(default=0, compare=False)


Node: TypeAlias = Number | Text | Boolean | Item | IndicatorRef | IndicatorValue | Unary | Power | Chain | Call


def level(node: Node) -> int:
    """How tightly the node's outermost operator binds."""
    match node:
        case Chain():
            return LEVEL_OF[node.ops[0]]
        case Unary():
            return UNARY_LEVEL
        case Power():
            return POWER_LEVEL
        case _:
            return PRIMARY_LEVEL


def children(node: Node) -> tuple[Node, ...]:
    """The direct operands, in the order DHIS2 visits them."""
    match node:
        case Unary():
            return (node.operand,)
        case Power():
            return (node.base, node.exponent)
        case Chain():
            return node.terms
        case Call():
            return node.args
        case IndicatorValue():
            return (node.denominator, node.numerator)
        case _:
            return ()


def unparse(node: Node) -> str:
    """DHIS2 text that parses back to an equal tree."""
    match node:
        case Number():
            return format(node.value, ".0f") if node.value < 1e15 and node.value % 1 == 0 else repr(node.value)
        case Text():
            return "'" + node.value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        case Boolean():
            return "true" if node.value else "false"
        case Item():
            return node.operand.source
        case IndicatorRef() | IndicatorValue():
            return f"N{{{node.uid}}}"
        case Unary():
            return node.op + _inside(node.operand, UNARY_LEVEL)
        case Power():
            return f"{_inside(node.base, PRIMARY_LEVEL)} ^ {_inside(node.exponent, UNARY_LEVEL)}"
        case Call(name="is"):
            return f"is({unparse(node.args[0])} in {', '.join(map(unparse, node.args[1:]))})"
        case Call():
            return f"{node.name}({', '.join(map(unparse, node.args))})"
        case Chain():
            own = level(node) + 1
            parts = [_inside(node.terms[0], own)]
            for op, term in zip(node.ops, node.terms[1:], strict=True):
                parts += [op, _inside(term, own)]
            return " ".join(parts)


def _inside(node: Node, least: int) -> str:
    text = unparse(node)
    return text if level(node) >= least else f"({text})"
