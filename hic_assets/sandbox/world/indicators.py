"""Indicators, indicator types and constants, with their expressions in DHIS2's language.

Belongs here: reading the shipped definitions and putting uids where they are written with codes.
Source: domain 3.2; the expressions are definitions of this sandbox, written the way servers hold them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

import polars as pl

from hic_assets.sandbox.world import catalogue
from hic_assets.sandbox.world.hashing import uid

TYPES = {"PERCENT": ("Per cent", 100), "PERTHOUSAND": ("Per thousand", 1000), "PER100000": ("Per 100000", 100_000)}
TYPES["NUMBER"] = ("Number (factor 1)", 1)
CONSTANTS = {
    "U5_VITA": ("Share of children under five aged 6-59 months", 0.9),
    "PREG_RATE": ("Expected pregnancies per inhabitant", 0.031),
    "MONTHS": ("Months in a year", 12.0),
}
# codes of indicators no aggregate compiler can evaluate from data values alone
UNCOMPILABLE = ("CRVS_BIRTH_RATE", "EPI_BCG_12M", "MAL_THRESHOLD", "COMPOSITE_RMNCH")
_OPERAND = re.compile(r"(#|C|R|OUG|I|N)\{([^}]+)\}")


@dataclass(frozen=True)
class Indicator:
    """One indicator; ``numerator`` and ``denominator`` hold uids."""

    uid: str
    code: str
    name: str
    type: str
    annualized: bool
    decimals: int
    numerator: str
    numerator_description: str
    denominator: str
    denominator_description: str


def group_uid(code: str) -> str:
    """The uid of an organisation unit group."""
    return uid("orgUnitGroup", code)


def _operand(match: re.Match[str]) -> str:
    kind, body = match.group(1), match.group(2)
    head, _, tail = body.partition(".")
    if kind == "#":
        element = catalogue.by_code()[head]
        if not tail:
            return f"#{{{element.uid}}}"
        found = {c.code: c.uid for c in catalogue.option_combos(element.combo)}
        return f"#{{{element.uid}.{found[tail]}}}"
    if kind == "R":
        return f"R{{{catalogue.data_set_uid(head)}.{tail}}}"
    if kind == "OUG":
        return f"OUG{{{group_uid(head)}}}"
    return f"{kind}{{{uid({'C': 'constant', 'I': 'programIndicator', 'N': 'indicator'}[kind], head)}}}"


def expression(text: str) -> str:
    """An expression written with codes, as the server holds it: with uids."""
    return _OPERAND.sub(_operand, text)


@cache
def indicators() -> tuple[Indicator, ...]:
    """Every indicator of the sandbox."""
    data = resources.files("hic_assets.sandbox.world").joinpath("data", "indicators.csv").read_bytes()
    rows = pl.read_csv(data, separator="|", infer_schema=False, quote_char=None).to_dicts()
    return tuple(
        Indicator(
            uid=uid("indicator", row["code"]),
            code=row["code"],
            name=row["name"],
            type=row["type"],
            annualized=row["annualized"] == "true",
            decimals=int(row["decimals"]),
            numerator=expression(row["numerator"]),
            numerator_description=row["numerator_description"],
            denominator=expression(row["denominator"]),
            denominator_description=row["denominator_description"],
        )
        for row in rows
    )
