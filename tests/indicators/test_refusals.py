from __future__ import annotations

from pathlib import Path

import pytest

from hic_assets.indicators import REFUSED, SUPPORTED, ExpressionError, compile_expression

from .helpers import A, B, de

X = de(A)
DOCS = Path(__file__).parents[2] / "docs" / "indicator-expressions.md"

EXAMPLES = {
    "D{": f"1 + D{{{A}.{B}}}",
    "A{": f"1 + A{{{A}.{B}}}",
    "I{": f"1 + I{{{A}}}",
    "V{": "1 + V{event_count}",
    "X{": "1 + X{any}",
    "PS_EVENTDATE:": f"1 + PS_EVENTDATE:{A}",
    "deGroup:": f"1 + #{{deGroup:{A}}}",
    "co:": f"1 + #{{{A}.co:{B}}}",
    "coGroup:": f"1 + #{{{A}.coGroup:{B}}}",
    "&": f"1 + #{{{A}.{B}&{B}}}",
    "[periodInYear]": "1 + [periodInYear]",
    "[yearlyPeriodCount]": "1 + [yearlyPeriodCount]",
    ".aggregationType": f"{X}.aggregationType(MAX)",
    ".periodOffset": f"{X}.periodOffset(-1)",
    ".minDate": f"{X}.minDate(2021-1-1)",
    ".maxDate": f"{X}.maxDate(2021-1-1)",
    ".yearToDate": f"{X}.yearToDate()",
    ".stageOffset": f"{X}.stageOffset(1)",
    "subExpression": f"1 + subExpression({X})",
    "contains": f"if(contains({X},'a'),1,2)",
    "containsItems": f"if(containsItems({X},'a'),1,2)",
    "normDistCum": f"normDistCum({X})",
    "normDistDen": f"normDistDen({X})",
    "percentileCont": f"percentileCont(.5,{X})",
    "d2:": f"1 + d2:zing({X})",
    "fractional exponent": f"{X} ^ 0.5",
    "text": f"if({X} == 'abc',1,2)",
    "condition as number": f"({X} > 1) * 5",
    "number as condition": f"if({X},1,2)",
    "missing condition": f"if(firstNonNull({X}) > 1 && true,1,2)",
    "removeZeros": f"greatest(removeZeros({X}), {X})",
    **{
        name: f"1 + {name}({X})"
        for name in ["avg", "count", "max", "median", "min", "stddev", "stddevPop", "stddevSamp", "sum", "variance"]
    },
    **{f"orgUnit.{name}": f"if(orgUnit.{name}({A}),1,2)" for name in ("ancestor", "dataSet", "group", "program")},
}


def test_every_refusal_has_an_example() -> None:
    assert set(EXAMPLES) == set(REFUSED)


@pytest.mark.parametrize("code", sorted(REFUSED))
def test_what_is_refused_says_why_where_and_what(code: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(EXAMPLES[code], constants={})
    error = caught.value
    assert error.code == code
    assert REFUSED[code] in error.reason
    assert 0 <= error.position < len(EXAMPLES[code])
    assert error.item
    assert str(error.position) in str(error)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"{X} > 3", "condition as number"),
        ("true", "condition as number"),
        (f"if(true, {X} > 1, 2)", "condition as number"),
        (f"if(true, 2, {X} > 1)", "condition as number"),
        (f"if({X} == true, 1, 2)", "condition as number"),
        (f"if(1 < {X} < 3, 1, 2)", "condition as number"),
        (f"if(!{X}, 1, 2)", "number as condition"),
        (f"if({X} && true, 1, 2)", "number as condition"),
        (f"{X} ^ {X}", "fractional exponent"),
        (f"{X} ^ 101", "fractional exponent"),
        ("'1e999' + 1", "text"),
        ("'nan' + 1", "text"),
        (f"removeZeros({X}) + firstNonNull({X})", "removeZeros"),
        (f"if(removeZeros({X}) > 1 || true, 1, 2)", "removeZeros"),
        (f"if(is(firstNonNull({X}) in 1), 1, 2)", "missing condition"),
        (f"C{{{A}}}", "unknown"),
        (f"N{{{A}}}", "unknown"),
    ],
)
def test_types_and_unknown_names_are_refused(text: str, code: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, constants={})
    assert caught.value.code == code


@pytest.mark.parametrize(
    "text",
    [
        "1; drop table x",
        "1) from x --",
        "#{AAAAAAAAAA1'}",
        '#{AAAAAAAAAA1"; select 1}',
        "'1'' or 1=1'",
        "C{AAAAAAAAAA1} /* */",
        "1 || pg_sleep(9)",
        "o1 + days",
        "$1",
        "\uff11\uff12",
        "#{\u00c4AAAAAAAAA1}",
        "\0",
    ],
)
def test_hostile_text_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(text, constants={A: 1.0})


def test_no_text_of_an_expression_reaches_the_sql() -> None:
    compiled = compile_expression(f"'17' + {X} * C{{{B}}}", constants={B: -2.5})
    assert A not in compiled.sql
    assert "'17'" not in compiled.sql
    assert compiled.operands == (f"de:{A}",)
    assert set('";$\\%{}#') & set(compiled.sql) == set()


def test_the_page_lists_both_tables() -> None:
    rows = {tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in DOCS.read_text().splitlines()}
    for table in (SUPPORTED, REFUSED):
        for name, meaning in table.items():
            assert (f"`{name}`".replace("|", "\\|"), meaning.replace("|", "\\|")) in rows
