"""Random expressions: text round trip, and SQL in PostgreSQL against the interpreter."""

from __future__ import annotations

import math

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hic_assets.indicators import (
    ExpressionError,
    IndicatorDefinition,
    Operand,
    compile_expression,
    evaluate_expression,
    parse,
)
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
    unparse,
)

from .helpers import IND, A, B, C, de, run_sql

ITEMS = [
    Item(Operand("data_element", (A,))),
    Item(Operand("data_element", (A, B, C))),
    Item(Operand("data_element", (A, "*", C))),
    Item(Operand("reporting", (B, "REPORTING_RATE"))),
    Item(Operand("org_unit_group", (C,))),
    Item(Operand("days")),
]
INDICATORS = {IND: IndicatorDefinition(f"{de(A)} + 1", f"firstNonNull({de(B)}, 2) - {de(A)}", 100.0, True)}

numbers = st.one_of(
    st.integers(0, 10).map(lambda n: Number(float(n))),
    st.floats(0, allow_nan=False, allow_infinity=False).map(Number),
)
leaves = st.one_of(st.sampled_from(ITEMS), st.sampled_from(ITEMS), numbers, st.just(IndicatorRef(IND)))
exponents: st.SearchStrategy[Node] = st.integers(0, 4).flatmap(
    lambda n: st.sampled_from([Number(float(n)), Unary("-", Number(float(n)))])
)


def chains(level: int, terms: st.SearchStrategy[Node], most: int = 4) -> st.SearchStrategy[Node]:
    return st.lists(st.tuples(st.sampled_from(LEVELS[level]), terms), min_size=1, max_size=most - 1).flatmap(
        lambda rest: terms.map(lambda first: Chain(tuple(o for o, _ in rest), (first, *(t for _, t in rest))))
    )


def conditions(number: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    many = st.lists(number, min_size=1, max_size=3).map(tuple)
    base = st.one_of(
        st.booleans().map(Boolean),
        chains(2, number, 2),
        chains(3, number, 2),
        number.map(lambda n: Call("isNull", (n,))),
        number.map(lambda n: Call("isNotNull", (n,))),
        st.tuples(number, many).map(lambda a: Call("is", (a[0], *a[1]))),
    )
    return st.one_of(base, base.map(lambda n: Unary("!", n)), chains(0, base), chains(1, base), chains(2, base, 2))


def grow(number: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    many = st.lists(number, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        chains(4, number),
        chains(5, number),
        number.map(lambda n: Unary("-", n)),
        st.tuples(number, exponents).map(lambda a: Power(*a)),
        st.tuples(st.sampled_from(["firstNonNull", "greatest", "least"]), many).map(lambda a: Call(*a)),
        st.tuples(conditions(number), number, number).map(lambda a: Call("if", a)),
        number.map(lambda n: Call("log10", (n,))),
        number.map(lambda n: Call("removeZeros", (n,))),
        st.lists(number, min_size=1, max_size=2).map(lambda a: Call("log", tuple(a))),
    )


expressions = st.recursive(leaves, grow, max_leaves=10)
anything = st.recursive(
    st.one_of(leaves, st.booleans().map(Boolean), st.text(st.characters(exclude_characters="\r\n")).map(Text)),
    lambda node: st.one_of(
        grow(node), conditions(node), *(chains(i, node) for i in range(len(LEVELS))), st.builds(Power, node, node)
    ),
    max_leaves=15,
)
values = st.one_of(
    st.none(),
    st.none(),
    st.sampled_from([0.0, 1.0, -1.0, 2.0, 100.0]),
    st.integers(-1000, 100_000).map(float),
    st.floats(-1e6, 1e6),
    st.floats(),
)
rows = st.lists(st.lists(values, min_size=7, max_size=7), min_size=6, max_size=6)
quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=quiet, database=None)
@given(anything)
def test_text_of_a_tree_parses_back_to_it(node: Node) -> None:
    assert parse(unparse(node)) == node


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=quiet, database=None)
@given(st.text() | st.text("#{}()+-*/^%&|<>=!.,'\"[]ifsnulAB01 RCNOUG"))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        compile_expression(text, constants={}, indicators=INDICATORS)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)


def test_sql_equals_the_interpreter(postgres: psycopg.Connection) -> None:
    compared = {"value": 0, "no value": 0, "refused": 0}

    @settings(max_examples=700, deadline=None, derandomize=True, suppress_health_check=quiet, database=None)
    @given(expressions, rows, st.sampled_from([28.0, 31.0]))
    def compare(node: Node, table: list[list[float | None]], days: float) -> None:
        text = unparse(node)
        try:
            compiled = compile_expression(text, constants={}, indicators=INDICATORS)
        except ExpressionError as error:
            assert error.code in ("removeZeros", "missing condition"), str(error)
            compared["refused"] += 1
            return
        found = run_sql(postgres, compiled, table, days)
        for row, value in zip(table, found, strict=True):
            by_key = dict(zip(compiled.operands, row, strict=False))
            expected = evaluate_expression(text, by_key, days=days, indicators=INDICATORS)
            compared["no value" if expected is None else "value"] += 1
            same = value == expected or (
                value is not None and expected is not None and math.isclose(value, expected, rel_tol=1e-9)
            )
            assert same, (text, by_key, days, value, expected, compiled.sql)

    compare()
    assert compared["value"] > 500
    assert compared["no value"] > 500
