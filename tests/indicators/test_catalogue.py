from __future__ import annotations

import polars as pl

from hic_assets.indicators import compile_indicators

from .helpers import IND, IND2, IND3, A, B, D, de


def frame(*rows: tuple[str, str | None, str | None, str | None, str | None]) -> pl.DataFrame:
    names = ["id", "numerator", "denominator", "factor", "annualized"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


CONSTANTS = pl.DataFrame({"id": [D, "CCCCCCCCCC3"], "code": [None, None], "name": ["k", "bad"], "value": ["0.03", "x"]})


def test_each_side_is_compiled_or_refused_and_one_bad_indicator_stops_nothing() -> None:
    table = compile_indicators(
        frame(
            (IND, f"{de(A)} * C{{{D}}}", de(B), "100", "false"),
            (IND2, f"N{{{IND}}}", "I{whatever123}", "1", None),
            (IND3, None, "C{CCCCCCCCCC3}", "many", "true"),
            ("INDICATOR04", f"N{{{IND3}}}", "(" * 500_000, "1", "false"),
        ),
        CONSTANTS,
    )
    assert table.columns == ["indicator", "side", "expression", "sql", "operands", "refused_reason"]
    assert table.height == 8
    assert table.filter(pl.col("sql").is_null() == pl.col("refused_reason").is_null()).is_empty()
    by_side = {(row["indicator"], row["side"]): row for row in table.iter_rows(named=True)}
    assert by_side[IND, "numerator"]["operands"] == [f"de:{A}"]
    assert by_side[IND, "denominator"]["operands"] == [f"de:{B}"]
    assert set(by_side[IND2, "numerator"]["operands"]) == {f"de:{A}", f"de:{B}"}
    assert "I{" in by_side[IND2, "denominator"]["refused_reason"]
    assert by_side[IND3, "numerator"]["refused_reason"] == "no expression"
    assert "no such constant" in by_side[IND3, "denominator"]["refused_reason"]
    assert "no factor" in by_side["INDICATOR04", "numerator"]["refused_reason"]
    assert "longer than" in by_side["INDICATOR04", "denominator"]["refused_reason"]


def test_no_indicators_give_an_empty_table_of_the_same_shape() -> None:
    table = compile_indicators(frame(), CONSTANTS)
    assert table.is_empty()
    assert table.schema["operands"] == pl.List(pl.String)
