"""Pieces of SQL that cannot raise an error, and how two pieces become one.

Belongs here: SQL text of single operations with their guards. Does not belong here: the tree, operands,
missing values. Every text here is made of the tokens written in this file, column names made by `compile.py`
and numbers rendered by `literal`, so no character of an expression ever reaches the SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from hic_assets.indicators import window
from hic_assets.indicators.window import ARITHMETIC, Bound, Window

NAN: Final = "float8 'NaN'"
_ADDITIVE = frozenset(("+", "-"))
_SQL_COMPARE = {"==": "=", "!=": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}


@dataclass(frozen=True)
class Fragment:
    """A double precision (or boolean) SQL expression.

    `open` marks an unbracketed run of + - or * / that may be continued without brackets.
    `nonzero`: a literal that is not 0.
    `found`, `present`: SQL conditions, joined by "or", for "an item was read" and "a read item had a value".
    """

    sql: str
    bound: Bound = window.OPERAND_BOUND
    nullable: bool = False
    found: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    open: str = ""
    nonzero: bool = False

    def closed(self) -> str:
        """The text, safe as an operand of anything."""
        return f"({self.sql})" if self.open else self.sql

    def counted_as(self, *others: Fragment) -> Fragment:
        """The fragment with the item counts of others only."""
        return replace(self, found=union(*(o.found for o in others)), present=union(*(o.present for o in others)))


def union(*parts: tuple[str, ...]) -> tuple[str, ...]:
    """One list of alternatives; "true" swallows the rest."""
    every = tuple(dict.fromkeys(text for part in parts for text in part))
    return ("true",) if "true" in every else every


def when(condition: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    """The alternatives, holding only under a condition."""
    if not parts:
        return ()
    return (condition,) if parts == ("true",) else (f"({condition} and ({' or '.join(parts)}))",)


def literal(value: float) -> str:
    """A finite non-negative number as SQL; the text comes from repr alone."""
    return f"float8 '{value!r}'"


class Namer:
    """Numbers the lateral names of one statement."""

    def __init__(self) -> None:
        self.last = 0

    def let(self, fragment: Fragment, body: str) -> str:
        """`body` over a value ("$") computed once; `offset 0` keeps the planner from copying it."""
        self.last += 1
        name = f"t{self.last}"
        return f"(select {body.replace('$', f'{name}.v')} from (select {fragment.sql} as v offset 0) as {name})"

    def windowed(self, fragment: Fragment, limits: Window = ARITHMETIC) -> Fragment:
        """Values outside the window made not-a-number; tested only where not proven inside."""
        if fragment.bound.within(limits):
            return fragment
        body = f"case when {inside('$', limits)} then $ else {NAN} end"
        sql = self.let(fragment, body if not fragment.nullable else body.replace("when ", "when $ is null or ", 1))
        return replace(fragment, sql=sql, bound=fragment.bound.clipped(limits), open="")

    def divisor(self, fragment: Fragment) -> Fragment:
        """The fragment with 0 made not-a-number; missing stays missing."""
        if fragment.nonzero:
            return fragment
        if fragment.nullable:
            sql = self.let(fragment, f"case when $ = 0 then {NAN} else $ end")
        else:
            sql = f"coalesce(nullif({fragment.sql}, float8 '0.0'), {NAN})"
        return replace(fragment, sql=sql, open="")

    def arithmetic(self, op: str, left: Fragment, right: Fragment) -> Fragment:
        """One step of + - * / %."""
        a, b = self.windowed(left), self.windowed(right)
        if op in "/%":
            b = self.divisor(b)
        nullable = a.nullable or b.nullable
        if op == "%":
            sql = f"mod(({a.sql})::numeric, ({b.sql})::numeric)::float8"
            return Fragment(sql, window.of_remainder(a.bound, b.bound), nullable)
        run = "+-" if op in _ADDITIVE else "*/"
        bound = {"+": window.of_sum, "-": window.of_sum, "*": window.of_product, "/": window.of_quotient}[op]
        first = a.sql if a.open in ("", run) else a.closed()
        return Fragment(f"{first} {op} {b.closed()}", bound(a.bound, b.bound), nullable, open=run)

    def power(self, base: Fragment, exponent: int) -> Fragment:
        """A whole power of the base."""
        safe = self.windowed(base, window.for_power(exponent))
        if exponent == 0:  # power() would make 1 of not-a-number
            return Fragment(f"({safe.closed()} * 0 + 1)", window.of_number(1.0), base.nullable)
        safe = self.divisor(safe) if exponent < 0 else safe
        sql = f"power({safe.sql}, float8 '{exponent}')"
        return Fragment(sql, window.of_power(safe.bound, exponent), base.nullable)

    def logarithm(self, function: str, value: Fragment) -> Fragment:
        """SQL ln or log (to base 10); 0 and less are not-a-number."""
        safe = self.windowed(value)
        if safe.nullable:
            body = f"case when $ > 0 then {function}($) when $ is not null then {NAN} end"
            sql = self.let(safe, body)
        else:
            sql = f"coalesce({function}(nullif(greatest({safe.sql}, float8 '0.0'), float8 '0.0')), {NAN})"
        return Fragment(sql, window.LOG_BOUND, value.nullable)


def compare(op: str, left: Fragment, right: Fragment) -> Fragment:
    """A comparison; not-a-number is above all numbers, in PostgreSQL as in Java."""
    sql = f"({left.closed()} {_SQL_COMPARE[op]} {right.closed()})"
    return Fragment(sql, nullable=left.nullable or right.nullable)


def inside(column: str, limits: Window) -> str:
    """The SQL condition for a value lying in a window; false for not-a-number."""
    return f"{column} = 0 or abs({column}) between {literal(2.0**limits.low)} and {literal(2.0**limits.high)}"
