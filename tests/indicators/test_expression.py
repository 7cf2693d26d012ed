from __future__ import annotations

import pytest

from hic_assets.indicators import ExpressionError, Operand, parse, parse_key
from hic_assets.indicators.expression import MAX_DEPTH
from hic_assets.indicators.lexer import MAX_LENGTH
from hic_assets.indicators.nodes import Call, Chain, IndicatorRef, Item, Number, Power, Text, Unary, unparse

from .helpers import A, B, C, de


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f"#{{{A}}}", f"de:{A}"),
        (f"#{{{A}.*}}", f"de:{A}"),
        (f"#{{{A}.{B}}}", f"de:{A}.{B}"),
        (f"#{{{A}.{B}.*}}", f"de:{A}.{B}"),
        (f"#{{{A}.*.{C}}}", f"de:{A}.*.{C}"),
        (f"#{{{A}.{B}.{C}}}", f"de:{A}.{B}.{C}"),
        (f"R{{{A}.REPORTING_RATE}}", f"ds:{A}.REPORTING_RATE"),
        (f"R{{{A}.REPORTING_RATE_ON_TIME}}", f"ds:{A}.REPORTING_RATE_ON_TIME"),
        (f"R{{{A}.ACTUAL_REPORTS}}", f"ds:{A}.ACTUAL_REPORTS"),
        (f"R{{{A}.ACTUAL_REPORTS_ON_TIME}}", f"ds:{A}.ACTUAL_REPORTS_ON_TIME"),
        (f"R{{{A}.EXPECTED_REPORTS}}", f"ds:{A}.EXPECTED_REPORTS"),
        (f"OUG{{{A}}}", f"oug:{A}"),
        (f"C{{{A}}}", f"c:{A}"),
        ("[days]", "days"),
    ],
)
def test_every_item_has_one_key_and_the_key_leads_back(text: str, key: str) -> None:
    node = parse(text)
    assert isinstance(node, Item)
    assert node.operand.key == key
    assert parse_key(key) == node.operand
    assert parse(node.operand.source) == node


@pytest.mark.parametrize(
    "key", ["", "de:", "de:short", f"de:{A}.*", f"xx:{A}", f"ds:{A}.RATE", f"de:{A}.*.*", f"oug:{A}\n"]
)
def test_a_wrong_key_is_no_operand(key: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        parse_key(key)


def num(value: float) -> Number:
    return Number(value)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1-2-3", Chain(("-", "-"), (num(1), num(2), num(3)))),
        ("1+2*3", Chain(("+",), (num(1), Chain(("*",), (num(2), num(3)))))),
        ("(1+2)*3", Chain(("*",), (Chain(("+",), (num(1), num(2))), num(3)))),
        ("-2^2", Unary("-", Power(num(2), num(2)))),
        ("2^-2", Power(num(2), Unary("-", num(2)))),
        ("2^3^2", Power(num(2), Power(num(3), num(2)))),
        ("-2*3", Chain(("*",), (Unary("-", num(2)), num(3)))),
        ("2^-2*3", Chain(("*",), (Power(num(2), Unary("-", num(2))), num(3)))),
        ("!true == false", parse("(!true) == false")),
        ("1 < 2 == 3 < 4 && true or false", parse("(((1<2) == (3<4)) && true) || false")),
        ("not true and true", parse("(!true) && true")),
        (" \n 1 \t", num(1)),
        (".5e1", num(5)),
        ("1.", num(1)),
        ("1E-2", num(0.01)),
        ('"a\\"b"', Text('a"b')),
        ("is(1 in 2,3)", Call("is", (num(1), num(2), num(3)))),
        ("log( 8 , 2 )", Call("log", (num(8), num(2)))),
        (f"N{{{A}}}", IndicatorRef(A)),
    ],
)
def test_precedence_and_associativity_follow_the_grammar(text: str, tree: object) -> None:
    assert parse(text) == tree
    assert parse(unparse(parse(text))) == tree


@pytest.mark.parametrize(
    ("text", "position", "item"),
    [
        ("", 0, ""),
        ("1 +", 3, ""),
        ("(1", 2, ""),
        ("1)", 1, ")"),
        ("1 2", 2, "2"),
        ("007", 1, "0"),
        ("1 = 2", 2, "="),
        ("1 <> 2", 2, "<>"),
        ("if (true,1,2)", 0, "if"),
        ("if(true,1)", 0, "if"),
        ("log(1,2,3)", 0, "log"),
        ("unknown(1)", 0, "unknown"),
        ("1 & 2", 2, "&"),
        ("#{short}", 0, "#{short}"),
        ("#{}", 0, "#{}"),
        (f"#{{{A}", 0, "#"),
        (f"#{{ {A} }}", 0, f"#{{ {A} }}"),
        (f"#{{{A}.{B}.{C}.{A}}}", 0, f"#{{{A}.{B}.{C}.{A}}}"),
        (f"R{{{A}.OTHER}}", 0, f"R{{{A}.OTHER}}"),
        (f"1 + C{{{A}.{B}}}", 4, f"C{{{A}.{B}}}"),
        ("'open", 0, "'"),
        ("1e999", 0, "1e999"),
        ("not(1)", 0, "not"),
        ("firstNonNull()", 13, ")"),
    ],
)
def test_what_is_not_the_language_is_named_with_its_place(text: str, position: int, item: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert (caught.value.position, caught.value.item) == (position, item)
    assert caught.value.excerpt in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["(" * 1_000_000, "-" * 1_000_000, "1^" * 1_000_000, "if(" * 1_000_000, "1+" * 600_000 + "1", "#{" * 500_000],
)
def test_a_megabyte_of_anything_is_one_clear_error(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert caught.value.code == "limit"
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("opening", ["(", "-", "2^", "if(true,1,", "!"])
def test_nesting_is_bounded_within_the_length(opening: str) -> None:
    with pytest.raises(ExpressionError, match=f"nested more than {MAX_DEPTH} deep"):
        parse(opening * 400)
    parse("(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH)


def test_a_long_sum_is_flat() -> None:
    terms = MAX_LENGTH // 15
    node = parse("+".join([de(A)] * terms))
    assert isinstance(node, Chain)
    assert len(node.terms) == terms


def test_an_operand_takes_only_valid_ids() -> None:
    with pytest.raises(ValueError, match="not a data_element operand"):
        Operand("data_element", ("AAAAAAAAAA1'; drop table x --",))
