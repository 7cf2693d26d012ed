"""DHIS2's own indicators evaluated outside PostgreSQL: operands with Polars from raw tables, expressions by the interpreter.

The marts run SQL that the compiler made; here the text read from the server is interpreted, place by place.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import polars as pl
from polars_raw import Raw, month_end

from hic_assets.indicators import ExpressionError, IndicatorDefinition, compile_expression, evaluate_expression
from hic_assets.indicators.operands import parse_key

# (place, month) -> number
Numbers = dict[tuple[str, date], float]
Answers = dict[tuple[str, str, str], tuple[float | None, float | None, float | None]]


class Compiled:
    """What a warehouse's raw tables answer to the indicators it read from DHIS2."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.constants = {
            uid: float(value) for uid, value in raw.table("hmis_constants").select("id", "value").iter_rows()
        }
        self.combine = dict(raw.elements.select("id", "aggregation_type").iter_rows())
        self.groups = raw.table("hmis_organisation_unit_group_members").select("group_id", "org_unit").unique()
        self.definitions = {
            row["id"]: IndicatorDefinition(
                row["numerator"], row["denominator"], float(row["factor"]), row["annualized"] == "true"
            )
            for row in raw.table("hmis_indicators").iter_rows(named=True)
        }
        self._numbers: dict[str, Numbers] = {}

    def _element(self, key: str) -> Numbers:
        uid, *parts = key.removeprefix("de:").split(".")
        chosen = pl.col("element") == uid
        for column, part in zip(("combo", "attributes"), parts, strict=False):
            if part != "*":
                chosen &= pl.col(column) == part
        columns = ["unit", "month", "number"]
        frame = self.raw.values.filter(chosen & pl.col("number").is_not_null()).select(columns)
        yearly = self.raw.yearly.filter(chosen)
        months = pl.DataFrame({"month": self.raw.months}, schema={"month": pl.Date})
        of_year = months.with_columns(pl.col("month").dt.year().alias("year"))
        frame = pl.concat([frame, yearly.drop("month").join(of_year, on="year").select(columns)])
        kind = self.combine[uid]
        places = self.raw.places
        if kind == "NONE":
            places = places.filter(pl.col("unit") == pl.col("place"))
        grouped = frame.join(places, on="unit").group_by("place", "month")
        numbers = pl.col("number")
        combined = {"AVERAGE": numbers.mean(), "MIN": numbers.min(), "MAX": numbers.max(), "COUNT": numbers.len()}
        found = grouped.agg(combined.get(kind, numbers.sum()).cast(pl.Float64))
        return {(place, month): number for place, month, number in found.select("place", "month", "number").iter_rows()}

    def _reporting(self, key: str) -> Numbers:
        uid, metric = key.removeprefix("ds:").split(".")
        frame = self.raw.reports.filter(pl.col("data_set") == uid).join(self.raw.places, on="unit")
        made: Numbers = {}
        for (place, month), group in frame.group_by("place", "month"):
            expected, received, on_time = group.height, group["received"].sum(), group["on_time"].sum()
            made[str(place), month] = {  # type: ignore[index]
                "EXPECTED_REPORTS": float(expected),
                "ACTUAL_REPORTS": float(received),
                "ACTUAL_REPORTS_ON_TIME": float(on_time),
                "REPORTING_RATE": 100 * received / expected,
                "REPORTING_RATE_ON_TIME": 100 * on_time / expected,
            }[metric]
        return made

    def _group(self, key: str) -> Numbers:
        members = self.groups.filter(pl.col("group_id") == key.removeprefix("oug:"))
        counted = members.join(self.raw.places, left_on="org_unit", right_on="unit").group_by("place").len()
        return {(place, month): float(n) for place, n in counted.iter_rows() for month in self.raw.months}

    def numbers(self, key: str) -> Numbers:
        """An operand by place and month."""
        if key not in self._numbers:
            kind = parse_key(key).key.partition(":")[0]
            read = {"de": self._element, "ds": self._reporting, "oug": self._group}[kind]
            self._numbers[key] = read(key)
        return self._numbers[key]

    def _operands(self, text: str, uid: str) -> tuple[str, ...]:
        compiled = compile_expression(text, constants=self.constants, indicators=self.definitions, uid=uid)
        return tuple(key for key in compiled.operands if key != "days")

    def answers(self) -> Answers:
        """(indicator uid, place, month) -> numerator, denominator, value; where either side has an operand's value."""
        made: Answers = {}
        for uid, said in self.definitions.items():
            try:
                sides = [(text, self._operands(text, uid)) for text in (said.numerator, said.denominator)]
            except ExpressionError:
                continue
            given: dict[tuple[str, date], dict[str, float]] = defaultdict(dict)
            for key in {key for _, keys in sides for key in keys}:
                for where, number in self.numbers(key).items():
                    given[where][key] = number
            for (place, month), values in given.items():
                days = float(month_end(month).day)
                numerator, denominator = (
                    evaluate_expression(text, values, days=days, constants=self.constants, indicators=self.definitions)
                    for text, _ in sides
                )
                if numerator is None and denominator is None:
                    continue
                scale = said.factor * (365 / days if said.annualized else 1)
                value = numerator * scale / denominator if numerator is not None and denominator else None
                made[uid, place, str(month)] = (numerator, denominator, value)
        return made
