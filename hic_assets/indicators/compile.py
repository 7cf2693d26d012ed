"""An indicator expression to one scalar SQL expression for PostgreSQL.

Belongs here: walking the tree, counting items, the frame of the statement. Does not belong here: guards of
single operations (fragments.py), the language's rules (check.py). The semantics are evaluate.py's, tested to
be equal.

The SQL stands over a row set with columns `o1 .. on` (double precision, NULL = missing), in the order of
`CompiledExpression.operands`, and `days` where `uses_days`:

    select org_unit, month, <sql> as value
    from (select org_unit, month, max(value) filter (where operand_key = 'de:..') as o1, ...
          from operand_values group by 1, 2) as operands
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from hic_assets.indicators import window
from hic_assets.indicators.check import nullable, text_number, whole_exponent
from hic_assets.indicators.errors import ExpressionError
from hic_assets.indicators.fragments import NAN, Fragment, Namer, compare, inside, literal, union, when
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
from hic_assets.indicators.operands import Operand
from hic_assets.indicators.resolve import Constants, Indicators, prepare

MAX_SQL: Final = 500_000
"""Longest SQL text handed out, in characters."""


@dataclass(frozen=True)
class CompiledExpression:
    """Scalar SQL of type double precision.

    `operands[i]` is the key of column `o{i+1}`; `uses_days` says whether column `days` is read.
    """

    sql: str
    operands: tuple[str, ...]
    uses_days: bool = False


def compile_expression(
    text: str, *, constants: Constants, indicators: Indicators | None = None, uid: str = ""
) -> CompiledExpression:
    """Compile an expression.

    `constants` is by uid; `indicators` by uid as (numerator, denominator, factor[, annualized]), for
    `N{uid}`; `uid` is the indicator the expression belongs to. ExpressionError names reason, position and
    item of what is refused.
    """
    node = prepare(text, constants, indicators or {}, uid=uid)
    return compile_node(node, text)


def compile_node(node: Node, text: str = "") -> CompiledExpression:
    """Compile a prepared tree (resolve.prepare). `text` is only for the message of the size limit."""
    compiler = _Compiler(text)
    body = compiler.root(node).sql
    columns = [f"{_kept(f'o{n}')} as v{n}" for n in range(1, len(compiler.operands) + 1)]
    if compiler.uses_days:
        columns.append(f"{_kept('days::float8')} as v_days")
    sql = f"(select {body} from (select {', '.join(columns)}) as operand)" if columns else body
    compiler.limit(len(sql))
    return CompiledExpression(sql, tuple(o.key for o in compiler.operands), compiler.uses_days)


def _kept(column: str) -> str:
    return f"case when {column} is null or {inside(column, window.OPERAND)} then {column} else {NAN} end"


class _Compiler:
    def __init__(self, text: str) -> None:
        self.source = text
        self.operands: dict[Operand, int] = {}
        self.uses_days = False
        self.name = Namer()

    def root(self, node: Node) -> Fragment:
        """A whole expression: no value when all items read are missing or for not-a-number, 0 for null."""
        value = self.visit(node, protected=False)
        sql = value.sql
        if nullable(node, zeros=False):
            sql = f"coalesce({sql}, float8 '0.0')"
        sql = f"nullif({sql}, {NAN})"
        if value.found:
            present = " or ".join(value.present)
            test = present if value.found == ("true",) else f"({_any(value.found)}) is not true or ({present}) is true"
            sql = f"case when {test} then {sql} end"
        return Fragment(f"({sql})" if value.found else sql, value.bound, nullable=True)

    def limit(self, size: int) -> None:
        if size > MAX_SQL:
            reason = f"the SQL would be longer than {MAX_SQL} characters"
            raise ExpressionError(reason, self.source, 0, code="limit")

    def visit(self, node: Node, *, protected: bool) -> Fragment:
        """The fragment of a node. Sizes are watched on the way up: is() and N{} repeat their parts."""
        fragment = self.fragment(node, protected=protected)
        self.limit(len(fragment.sql) + sum(map(len, fragment.found)) + sum(map(len, fragment.present)))
        return fragment

    def fragment(self, node: Node, *, protected: bool) -> Fragment:
        match node:
            case Number():
                return self.signed(node.value)
            case Text():
                return self.text(node)
            case Boolean():
                return Fragment("true" if node.value else "false")
            case Item():
                return self.item(node, protected=protected)
            case IndicatorValue():
                return self.count(self.nested(node), protected=protected)
            case Unary():
                return self.unary(node, protected=protected)
            case Power():
                base = self.visit(node.base, protected=protected)
                return self.name.power(base, whole_exponent(node.exponent) or 0).counted_as(base)
            case Chain():
                return self.chain(node, protected=protected)
            case Call():
                return self.call(node, protected=protected)
        raise TypeError(f"not prepared: {node}")

    # -- items ----------------------------------------------------------------

    def text(self, node: Text) -> Fragment:
        return self.signed(text_number(node.value) or 0.0)

    def item(self, node: Item, *, protected: bool) -> Fragment:
        if node.operand.kind == "days":
            self.uses_days = True
            return Fragment(f"coalesce(v_days, {NAN})")
        number = self.operands.setdefault(node.operand, len(self.operands) + 1)
        if node.operand.kind == "org_unit_group":
            return Fragment(f"coalesce(v{number}, float8 '0.0')")
        return self.count(Fragment(f"v{number}", nullable=True), protected=protected)

    def count(self, fragment: Fragment, *, protected: bool) -> Fragment:
        """An item: as it is where missing is kept, else with 0 for missing and counted."""
        if protected:
            return fragment
        present = f"{fragment.closed()} is not null"
        sql = f"coalesce({fragment.sql}, float8 '0.0')"
        return replace(fragment, sql=sql, nullable=False, found=("true",), present=(present,), open="")

    def nested(self, node: IndicatorValue) -> Fragment:
        numerator, denominator = self.root(node.numerator), self.root(node.denominator)
        value = self.name.arithmetic("*", numerator, self.signed(node.factor))
        if node.annualized:
            year = self.signed(365.0)
            self.uses_days = True
            value = self.name.arithmetic(
                "*", value, self.name.arithmetic("/", year, Fragment(f"coalesce(v_days, {NAN})"))
            )
        zero_is_missing = replace(denominator, sql=f"nullif({denominator.sql}, float8 '0.0')")
        value = self.name.arithmetic("/", value, zero_is_missing)
        return Fragment(f"nullif({value.sql}, {NAN})", value.bound, nullable=True)

    def signed(self, value: float) -> Fragment:
        sql = literal(abs(value))
        return Fragment(f"(- {sql})" if value < 0 else sql, window.of_number(value), nonzero=value != 0)

    # -- operators ------------------------------------------------------------

    def unary(self, node: Unary, *, protected: bool) -> Fragment:
        value = self.visit(node.operand, protected=protected)
        if node.op == "+":
            return value
        sign = "not" if node.op == "!" else "-"
        return replace(value, sql=f"({sign} {value.closed()})", open="")

    def chain(self, node: Chain, *, protected: bool) -> Fragment:
        if node.ops[0] in ("&&", "||"):
            return self.logic(node, protected=protected)
        value = self.visit(node.terms[0], protected=protected)
        reached: list[str] = []  # conditions under which the next term is read at all
        found, present = value.found, value.present
        for op, child in zip(node.ops, node.terms[1:], strict=True):
            if value.nullable:
                reached.append(f"{value.closed()} is not null")
            term = self.visit(child, protected=protected)
            found = union(found, when(" and ".join(reached), term.found) if reached else term.found)
            present = union(present, when(" and ".join(reached), term.present) if reached else term.present)
            value = compare(op, value, term) if op in _COMPARE else self.name.arithmetic(op, value, term)
        return replace(value, found=found, present=present)

    def logic(self, node: Chain, *, protected: bool) -> Fragment:
        word = "and" if node.ops[0] == "&&" else "or"
        terms = [self.visit(term, protected=protected) for term in node.terms]
        found, present = terms[0].found, terms[0].present
        for index, term in enumerate(terms[1:], start=1):
            before = f" {word} ".join(t.sql for t in terms[:index])
            reached = f"({before})" if word == "and" else f"(not ({before}))"
            found = union(found, when(reached, term.found))
            present = union(present, when(reached, term.present))
        return Fragment(f"({f' {word} '.join(t.sql for t in terms)})", found=found, present=present)

    # -- functions ------------------------------------------------------------

    def call(self, node: Call, *, protected: bool) -> Fragment:
        if node.name == "is":
            return self.visit(_equals_any(node), protected=protected)
        inner = protected or node.name in ("isNull", "isNotNull", "firstNonNull")
        args = [self.visit(arg, protected=inner) for arg in node.args]
        first = args[0]
        missing = nullable(node, protected=protected)
        match node.name:
            case "if":
                return self.conditional(*args)
            case "isNull":
                return Fragment(f"({first.closed()} is null)")
            case "isNotNull":
                return Fragment(f"({first.closed()} is not null)")
            case "removeZeros":
                return replace(first, sql=f"nullif({first.sql}, float8 '0.0')", nullable=True, open="")
            case "log" | "log10":
                return self.log(node.name, args)
        bound = first.bound
        for arg in args[1:]:
            bound = window.of_either(bound, arg.bound)
        if node.name == "firstNonNull":
            return Fragment(f"coalesce({', '.join(arg.sql for arg in args)})", bound, missing)
        if node.name == "greatest":
            sql = f"greatest({', '.join(arg.sql for arg in args)})"
        else:  # least() would pass over not-a-number, which PostgreSQL sorts last
            sql = f"(- greatest({', '.join(f'- {arg.closed()}' for arg in args)}))"
        return Fragment(sql, bound, missing).counted_as(*args)

    def log(self, name: str, args: list[Fragment]) -> Fragment:
        logs = [self.name.logarithm("log" if name == "log10" else "ln", arg) for arg in args]
        value = logs[0] if len(logs) == 1 else self.name.arithmetic("/", *logs)
        return value.counted_as(*args)

    def conditional(self, test: Fragment, yes: Fragment, no: Fragment) -> Fragment:
        if test.nullable:
            sql = f"(case {test.sql} when true then {yes.sql} when false then {no.sql} end)"
        else:
            sql = f"(case when {test.sql} then {yes.sql} else {no.sql} end)"
        bound = window.of_either(yes.bound, no.bound)
        return Fragment(
            sql,
            bound,
            test.nullable or yes.nullable or no.nullable,
            union(test.found, _branches(test, yes.found, no.found)),
            union(test.present, _branches(test, yes.present, no.present)),
        )


_COMPARE = frozenset(("==", "!=", "<", ">", "<=", ">="))


def _branches(test: Fragment, yes: tuple[str, ...], no: tuple[str, ...]) -> tuple[str, ...]:
    if yes == no and not test.nullable:
        return yes
    return union(when(test.sql, yes), when(f"(not {test.sql})", no))


def _equals_any(node: Call) -> Node:
    equal = tuple(Chain(("==",), (node.args[0], arg), node.pos) for arg in node.args[1:])
    return equal[0] if len(equal) == 1 else Chain(("||",) * (len(equal) - 1), equal, node.pos)


def _any(parts: tuple[str, ...]) -> str:
    return " or ".join(parts) or "false"
