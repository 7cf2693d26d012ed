"""DHIS2 indicator expressions: parsed, checked, compiled to PostgreSQL, or refused with a reason.

Belongs here: the public names. Does not belong here: reading metadata over HTTP, writing tables, dbt.
"""

from hic_assets.indicators.catalogue import compile_indicators
from hic_assets.indicators.compile import CompiledExpression, compile_expression
from hic_assets.indicators.errors import ExpressionError
from hic_assets.indicators.evaluate import evaluate_expression
from hic_assets.indicators.expression import parse
from hic_assets.indicators.language import REFUSED, SUPPORTED
from hic_assets.indicators.operands import Operand, parse_key
from hic_assets.indicators.resolve import IndicatorDefinition

__all__ = [
    "REFUSED",
    "SUPPORTED",
    "CompiledExpression",
    "ExpressionError",
    "IndicatorDefinition",
    "Operand",
    "compile_expression",
    "compile_indicators",
    "evaluate_expression",
    "parse",
    "parse_key",
]
