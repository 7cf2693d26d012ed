"""The catalogued indicators evaluated with Polars over raw tables and the seeds: written differently from the marts.

Facility by facility first, then places, months, quarters and years. It reads no relation that dbt made.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from pathlib import Path

import polars as pl
from polars_raw import Raw, month_end

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
LEVELS = ["country", "province", "district", "facility"]
# (indicator, place, period) -> (numerator, denominator, value)
Answers = dict[tuple[str, str, str], tuple[float | None, float | None, float | None]]


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


class Catalogue:
    """What a warehouse's raw tables answer to the catalogue."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.indicators = {row["indicator_code"]: row for row in seed("indicator_catalogue")}
        self.measures = {row["measure_code"]: row for row in seed("measure")}
        self.terms = seed("indicator_measure")
        self.sources = seed("measure_source")
        self.uids = dict(raw.elements.select("code", "id").iter_rows())
        self.by_place = self._rolled_up(self._per_unit())

    def _combos(self, options: str) -> list[str]:
        """Option combos that have every option named."""
        held = defaultdict(set)
        for combo, code in self.raw.combo_options.select("category_option_combo", "category_option_code").iter_rows():
            held[combo].add(code)
        return [combo for combo, codes in held.items() if set(options.split("+")) <= codes]

    def _found(self, measure: str) -> list[tuple[str, list[str] | None, float]]:
        """(element, combos or None for all, weight) of what the server has of a measure."""
        found = []
        for row in self.sources:
            if row["measure_code"] != measure or row["data_element_code"] not in self.uids:
                continue
            combos = self._combos(row["option_codes"]) if row["option_codes"] else None
            if combos is None or combos:
                found.append((self.uids[row["data_element_code"]], combos, float(row["weight"])))
        return found

    def _per_unit(self) -> dict[tuple[str, str, date], float]:
        """(measure, unit, month) -> value."""
        made: dict[tuple[str, str, date], float] = defaultdict(float)
        months = self.raw.months
        for code, measure in self.measures.items():
            for element, combos, weight in self._found(code):
                chosen = pl.col("element") == element
                if combos is not None:
                    chosen &= pl.col("combo").is_in(combos)
                frame = self.raw.values.filter(chosen & pl.col("number").is_not_null())
                for unit, month, number in frame.select("unit", "month", "number").iter_rows():
                    made[code, unit, month] += number * weight
                if measure["kind"] == "population":
                    for unit, year, number in (
                        self.raw.yearly.filter(chosen).select("unit", "year", "number").iter_rows()
                    ):
                        for month in (m for m in months if m.year == year):
                            made[code, unit, month] += number * weight
        for code, measure in self.measures.items():
            whole = [key for key in made if key[0] == measure["share_of"]]
            for _, unit, month in whole:
                if (code, unit, month) not in made:
                    made[code, unit, month] = made[measure["share_of"], unit, month] * float(measure["share"])
        return made | self._reports()

    def _reports(self) -> dict[tuple[str, str, date], float]:
        stock = {element for element, _, _ in self._found("STOCKOUT_DAYS_ACT24")}
        holders = set(self.raw.members.filter(pl.col("data_element").is_in(list(stock)))["data_set"])
        made: dict[tuple[str, str, date], float] = defaultdict(float)
        for month, data_set, unit, received, on_time in self.raw.reports.iter_rows():
            counted = {
                "REPORTS_EXPECTED": True,
                "REPORTS_RECEIVED": received,
                "REPORTS_ON_TIME": on_time,
                "STOCK_REPORTS": received and data_set in holders,
            }
            for code in (code for code, is_so in counted.items() if is_so):
                made[code, unit, month] += 1
        return dict(made)

    def _rolled_up(self, per_unit: dict[tuple[str, str, date], float]) -> pl.DataFrame:
        rows = [(*key, value) for key, value in per_unit.items()]
        schema = {"measure": pl.String, "unit": pl.String, "month": pl.Date, "value": pl.Float64}
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        placed = frame.join(self.raw.places, on="unit", how="inner")
        return placed.group_by("measure", "place", "level", "month").agg(pl.col("value").sum())

    def evaluated(self) -> list[str]:
        """Indicators whose every measure has something on this server, or a population to stand in for it."""
        sourced = {row["measure_code"] for row in self.sources}
        fitting = []
        for code in self.indicators:
            named = {t["measure_code"] for t in self.terms if t["indicator_code"] == code}
            lacking = [m for m in named if m in sourced and not self._found(m) and not self.measures[m]["share_of"]]
            if named and not lacking:
                fitting.append(code)
        return fitting

    def _side(self, code: str, side: str) -> tuple[pl.DataFrame, bool]:
        """A side by place and month, and whether the last month of a period counts."""
        annualised = self.indicators[code]["is_annualised"] == "true"
        parts, last = [], False
        for term in self.terms:
            if (term["indicator_code"], term["side"]) != (code, side):
                continue
            kind = self.measures[term["measure_code"]]["kind"]
            factor = pl.lit(float(term["weight"])) / (12 if annualised and kind == "population" else 1)
            if term["times"] == "days":
                factor = factor * pl.col("month").map_elements(lambda m: month_end(m).day, return_dtype=pl.Int64)
            last = not term["times"] and (kind == "stock" or (kind == "population" and not annualised))
            part = self.by_place.filter(pl.col("measure") == term["measure_code"])
            parts.append(part.with_columns(pl.col("value") * factor))
        return pl.concat(parts).group_by("place", "level", "month").agg(pl.col("value").sum()), last

    def answers(self, *, sensitive: bool | None = None) -> Answers:
        """Every indicator, place and period; `sensitive` narrows to those that are, or are not."""
        made: Answers = {}
        for code in self.evaluated():
            row = self.indicators[code]
            if sensitive is not None and (row["is_sensitive"] == "true") != sensitive:
                continue
            (above, above_last), (below, below_last) = self._side(code, "numerator"), self._side(code, "denominator")
            both = above.join(below, on=["place", "level", "month"], how="full", coalesce=True, suffix="_below")
            kept = LEVELS[: LEVELS.index(row["lowest_level"]) + 1]
            both = both.filter(pl.col("level").is_in(kept))
            for period, months in periods(self.raw.months).items():
                frame = both.filter(pl.col("month").is_in(months))
                for place, group in frame.group_by("place"):
                    numerator = _sum(group, "value", months[-1] if above_last else None)
                    denominator = _sum(group, "value_below", months[-1] if below_last else None)
                    made[code, str(place[0]), period] = (numerator, denominator, _value(row, numerator, denominator))
        return made


def periods(months: list[date]) -> dict[str, list[date]]:
    """Months, quarters, years and fiscal years by name, with the months that there are."""
    made: dict[str, list[date]] = defaultdict(list)
    for month in months:
        begins = month.year if month.month > 6 else month.year - 1
        quarter = f"{month.year}Q{(month.month - 1) // 3 + 1}"
        for name in (f"{month:%Y-%m}", quarter, f"{month.year}", f"fy_{begins}_{(begins + 1) % 100:02}"):
            made[name].append(month)
    return made


def _sum(group: pl.DataFrame, column: str, only: date | None) -> float | None:
    kept = group if only is None else group.filter(pl.col("month") == only)
    numbers = kept[column].drop_nulls()
    return float(numbers.sum()) if len(numbers) else None


def _value(row: dict[str, str], numerator: float | None, denominator: float | None) -> float | None:
    if numerator is None or not denominator:
        return None
    value = numerator / denominator * float(row["factor"])
    return max(value, float(row["value_floor"])) if row["value_floor"] else value
