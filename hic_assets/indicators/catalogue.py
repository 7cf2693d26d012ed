"""All indicators of a server, compiled: one row a side, a reason where a side is refused.

Belongs here: reading the raw metadata frames. Does not belong here: writing ops.indicator_sql (the Dagster
layer does).
"""

from __future__ import annotations

import math
from typing import Final

import polars as pl

from hic_assets.indicators.compile import compile_expression
from hic_assets.indicators.errors import ExpressionError
from hic_assets.indicators.resolve import IndicatorDefinition

SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "indicator": pl.String,
    "side": pl.String,
    "expression": pl.String,
    "sql": pl.String,
    "operands": pl.List(pl.String),
    "refused_reason": pl.String,
}
SIDES: Final = ("numerator", "denominator")


def compile_indicators(indicators: pl.DataFrame, constants: pl.DataFrame) -> pl.DataFrame:
    """Compile every numerator and denominator.

    `indicators`: columns id, numerator, denominator, factor, annualized of raw.hmis_indicators (text).
    `constants`: columns id, value of raw.hmis_constants (text).
    Result: grain (indicator, side), sorted; exactly one of `sql` and `refused_reason` is set; `operands` is
    empty when refused. A refused indicator never stops the others.
    """
    numbers = _constants(constants)
    rows = indicators.select("id", *SIDES, "factor", "annualized").unique("id", keep="last").sort("id")
    definitions = {
        uid: IndicatorDefinition(numerator or "", denominator or "", _number(factor), annualized == "true")
        for uid, numerator, denominator, factor, annualized in rows.iter_rows()
    }
    compiled = [
        _side(uid, side, getattr(definition, side), numbers, definitions)
        for uid, definition in definitions.items()
        for side in SIDES
    ]
    return pl.DataFrame(compiled, schema=SCHEMA, orient="row")


def _side(
    uid: str,
    side: str,
    expression: str,
    constants: dict[str, float],
    definitions: dict[str, IndicatorDefinition],
) -> tuple[str, str, str, str | None, list[str], str | None]:
    if not expression.strip():
        return uid, side, expression, None, [], "no expression"
    try:
        compiled = compile_expression(expression, constants=constants, indicators=definitions, uid=uid)
    except ExpressionError as error:
        return uid, side, expression, None, [], str(error)
    return uid, side, expression, compiled.sql, list(compiled.operands), None


def _constants(frame: pl.DataFrame) -> dict[str, float]:
    """The constants whose value reads as a number."""
    rows = frame.select("id", pl.col("value").cast(pl.Float64, strict=False))
    return {uid: value for uid, value in rows.iter_rows() if value is not None and math.isfinite(value)}


def _number(text: str | None) -> float:
    """A factor as number; not-a-number when it is none, which refuses references to the indicator."""
    try:
        return float(text) if text is not None else math.nan
    except ValueError:
        return math.nan
