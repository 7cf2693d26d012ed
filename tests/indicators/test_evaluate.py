"""The rules of DHIS2 one by one, on the interpreter and on PostgreSQL alike."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from hic_assets.indicators import ExpressionError, IndicatorDefinition, compile_expression, evaluate_expression
from hic_assets.indicators.expression import MAX_DEPTH

from .helpers import IND, IND2, IND3, A, B, C, D, de, run_sql

X, Y = de(A), de(B)
Row = list[float | None]
REAL = json.loads((Path(__file__).parent / "real_expressions.json").read_text())

CASES: list[tuple[str, Row, float | None]] = [
    # missing values
    (f"{X} + {Y}", [1, None], 1),
    (f"{X} + {Y}", [None, None], None),
    (f"{X} + {Y}", [0, None], 0),
    (f"{X} + 5", [None], None),
    ("5", [], 5),
    (f"{X} * 0 + {Y}", [None, 3], 3),
    (f"if(isNull({X}), 1, 2)", [None], 1),
    (f"if(isNull({X}), 1, 2)", [0], 2),
    (f"if(isNotNull({X}), {X}, {Y})", [None, 4], 4),
    (f"if(isNotNull({X}), {X}, {Y})", [None, None], None),
    (f"if(isNotNull({X}), {X}, {Y})", [7, None], 7),
    (f"if(isNull({X} + {Y}), 1, 2)", [1, None], 1),
    (f"firstNonNull({X}, {Y}, 9)", [None, None], 9),
    (f"firstNonNull({X}, {Y})", [None, 3], 3),
    (f"firstNonNull({X}, {Y})", [None, None], 0),
    (f"firstNonNull({X}) + {Y}", [None, None], 0),
    (f"{Y} + firstNonNull({X})", [5, None], None),
    (f"if(firstNonNull({X}) > 1, 5, 6)", [None], 0),
    (f"greatest({X}, {Y})", [None, -3], 0),
    (f"least({X}, {Y})", [4, 3], 3),
    (f"greatest({X})", [None], None),
    (f"firstNonNull(greatest({X}, {Y}), 8)", [None, None], 8),
    (f"firstNonNull(greatest({X}, {Y}), 8)", [None, 2], 2),
    (f"removeZeros({X})", [0], None),
    (f"removeZeros({X})", [None], None),
    (f"removeZeros({X})", [5], 5),
    (f"removeZeros({X}) + {Y}", [0, 4], None),
    (f"firstNonNull(removeZeros({X}), 3)", [0], 3),
    (f"if(true || {Y} > 1, {X}, {X})", [2, None], 2),
    (f"if(false && {Y} > 1, 1, 2)", [None, 5], 2),
    (f"if({X} > 1 && {Y} > 1, 1, 2)", [None, 5], None),
    (f"if({X} > 1 || {Y} > 1, 1, 2)", [None, 5], 1),
    # division, remainder, not-a-number
    (f"{X} / {Y}", [4, 0], None),
    (f"{X} / {Y}", [0, 0], None),
    (f"{X} / {Y}", [4, None], None),
    (f"80 + {X} / 0", [4], None),
    (f"{X} % {Y}", [5, 2], 1),
    (f"{X} % {Y}", [-5, 2], -1),
    (f"{X} % {Y}", [5.3, 0.1], 0),
    (f"{X} % {Y}", [5, 0], None),
    (f"if(2 == 2 / 0, 1, {X})", [9], 9),
    (f"if(2 / 0 > {X}, 1, 2)", [9], 1),
    (f"if(isNull({X} / 0), 1, 2)", [9], 2),
    (f"firstNonNull({X} / 0, 5)", [9], None),
    (f"greatest(1, {X} / 0)", [9], None),
    (f"least(1, {X} / 0)", [9], None),
    (f"({X} / 0) ^ 0", [9], None),
    # precedence and arithmetic
    (f"-{X}^2", [3], -9),
    (f"{X}^-2", [2], 0.25),
    (f"{X}^-2", [0], None),
    (f"{X}^0", [0], 1),
    (f"2^3^2 + 0 * {X}", [1], 512),
    (f"{X} - 2 - 3", [10], 5),
    (f"{X} / 2 / 5", [10], 1),
    (f"{X} / 2 * 5", [10], 25),
    (f"{X} * 7 % 4 / 2", [3], 0.5),
    (f"1 / 2 * {X}", [1], 0.5),
    ("-1.4 / (1 + 1)", [], -0.7),
    (f"'-3' * {X}", [2], -6),
    # logarithms
    (f"log({X})", [math.e], 1),
    (f"log({X}, 2)", [8], 3),
    (f"log10({X})", [1000], 3),
    (f"log({X})", [0], None),
    (f"log({X})", [-1], None),
    (f"log({X}, 1)", [8], None),
    (f"log(firstNonNull({X}), 2)", [None], 0),
    (f"if(isNull(log({X})), 1, 2)", [None], 1),
    (f"if(isNull(log({X})), 1, 2)", [-1], 2),
    # conditions
    (f"if(is({X} in 1, 2, 3), 10, 20)", [3], 10),
    (f"if(is({X} in 1, 2, 3), 10, 20)", [4], 20),
    (f"if(not ({X} >= 3) and {X} != 1, 1, 2)", [2], 1),
    (f"if(({X} > 1) == ({Y} > 1), 1, 2)", [5, 0], 2),
    # magnitudes no facility reports, and results PostgreSQL would raise an error for
    (X, [1e300], None),
    (X, [1e-300], None),
    (X, [math.inf], None),
    (X, [math.nan], None),
    (f"{X} ^ 100", [1e15], None),
    (f"{X} ^ 30", [1e-10], None),
    (" * ".join([X] * 40), [1e15], None),
    (" * ".join([X] * 40), [1e-10], None),
    (" / ".join([X] * 40), [1e-10], None),
    (f"1e308 * {X}", [1e15], None),
    (f"1e-308 * {X}", [1e-10], None),
    ("9e307 * 2", [], None),
    ("1e308 + 1e308", [], None),
    # always present
    (f"OUG{{{A}}}", [None], 0),
    (f"OUG{{{A}}}", [12], 12),
    (f"[days] * {X}", [2], 62),
    ("[days]", [], 31),
    (f"{X} * C{{{D}}}", [4], -10),
]


@pytest.mark.parametrize(("text", "row", "expected"), CASES)
def test_interpreter_and_sql_follow_the_rules(
    postgres: psycopg.Connection, text: str, row: Row, expected: float | None
) -> None:
    compiled = compile_expression(text, constants={D: -2.5})
    values = dict(zip((f"de:{A}", f"de:{B}"), row, strict=False))
    values[f"oug:{A}"] = row[0] if row else None
    found = evaluate_expression(text, values, days=31, constants={D: -2.5})
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-12))
    assert run_sql(postgres, compiled, [[values.get(key) for key in compiled.operands]], 31.0) == [found]


@pytest.mark.parametrize("case", REAL, ids=lambda case: case["expression"][:30])
def test_expressions_of_public_metadata(postgres: psycopg.Connection, case: dict[str, object]) -> None:
    text, values = str(case["expression"]), case["values"]
    assert isinstance(values, list)
    compiled = compile_expression(text, constants={})
    assert list(compiled.operands) == case["operands"]
    found = evaluate_expression(text, dict(zip(compiled.operands, values, strict=True)))
    assert found == case["result"]
    assert run_sql(postgres, compiled, [values], 31.0) == [case["result"]]


NESTED: list[tuple[str, Row, float | None]] = [
    (f"N{{{IND}}}", [1, 4], 25),
    (f"N{{{IND}}} + 1", [1, None], None),
    (f"N{{{IND}}} + {de(C)}", [None, None, 7], 7),
    (f"N{{{IND}}}", [1, 0], None),
    (f"if(isNull(N{{{IND}}}), 1, 2)", [1, 0], 1),
    (f"N{{{IND2}}}", [1, 4], 50),
    (f"firstNonNull(N{{{IND2}}}, 3)", [None, 4], 3),
    (f"N{{{IND3}}}", [62], 730),
    (f"N{{{IND}}} / N{{{IND}}}", [3, 4], 1),
]
INDICATORS = {
    IND: IndicatorDefinition(X, Y, 100),
    IND2: IndicatorDefinition(f"N{{{IND}}} * 2", "1", 1),
    IND3: IndicatorDefinition(X, "1", 1, True),
}


@pytest.mark.parametrize(("text", "row", "expected"), NESTED)
def test_a_nested_indicator_is_a_value(
    postgres: psycopg.Connection, text: str, row: Row, expected: float | None
) -> None:
    compiled = compile_expression(text, constants={}, indicators=INDICATORS)
    by_key = dict(zip((f"de:{A}", f"de:{B}", f"de:{C}"), row, strict=False))
    found = evaluate_expression(text, by_key, days=31, indicators=INDICATORS)
    assert found == expected
    assert run_sql(postgres, compiled, [[by_key.get(key) for key in compiled.operands]], 31.0) == [expected]


def test_cycles_and_depth_are_refused() -> None:
    two = {IND: (f"N{{{IND2}}}", "1", 1), IND2: ("1", f"1 + N{{{IND}}}", 1)}
    with pytest.raises(ExpressionError, match=f"{IND} -> {IND2} -> {IND}"):
        compile_expression(f"N{{{IND}}}", constants={}, indicators=two)
    with pytest.raises(ExpressionError, match="refer to each other"):
        compile_expression(f"1 + N{{{IND}}}", constants={}, indicators={IND: ("1", "1", 1)}, uid=IND)
    chain = {f"IND0000000{n}": (f"N{{IND0000000{n + 1}}}", "1", 1) for n in range(9)}
    with pytest.raises(ExpressionError, match="nested more than 5 deep"):
        compile_expression("N{IND00000000}", constants={}, indicators=chain)


def test_an_error_inside_a_nested_indicator_names_both() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(f"1 + N{{{IND}}}", constants={}, indicators={IND: ("2 + I{x}", "1", 1)})
    assert caught.value.position == 4
    assert caught.value.item == f"N{{{IND}}}"
    assert f"in indicator {IND}" in caught.value.reason
    assert "I{ at character 4" in caught.value.reason


def test_growing_references_end_in_a_limit() -> None:
    wide = " + ".join(["N{%s}"] * 60)
    names = [f"IND0000000{n}" for n in range(5)]
    indicators = {a: (wide.replace("%s", b), "1", 1.0) for a, b in pairwise(names)}
    indicators[names[-1]] = (X, "1", 1.0)
    with pytest.raises(ExpressionError) as caught:
        compile_expression(f"N{{{names[0]}}}", constants={}, indicators=indicators)
    assert caught.value.code == "limit"
    nested = X
    for _ in range(20):
        nested = f"if(is({nested} in 1, 2, 3), 1, 0)"
    with pytest.raises(ExpressionError, match="longer than"):
        compile_expression(nested, constants={})


def test_a_long_sum_compiles_and_runs(postgres: psycopg.Connection) -> None:
    uids = [f"A{n:010d}" for n in range(1000)]
    text = "+".join(map(de, uids))
    compiled = compile_expression(text, constants={})
    assert len(compiled.operands) == 1000
    assert run_sql(postgres, compiled, [[1.0] * 1000, [None] * 1000], 31.0) == [1000.0, None]


def test_the_deepest_accepted_nesting_compiles(postgres: psycopg.Connection) -> None:
    text = X
    for _ in range(MAX_DEPTH // 2):
        text = f"if(true && false || 1 == 2 + 2 * -{text}, 1, 2)"
    compiled = compile_expression(text, constants={})
    assert run_sql(postgres, compiled, [[1.0], [None]], 31.0) == [
        evaluate_expression(text, {f"de:{A}": 1.0}),
        evaluate_expression(text, {}),
    ]
    with pytest.raises(ExpressionError, match="deep"):
        compile_expression(f"(1 + {text})", constants={})
