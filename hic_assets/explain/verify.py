"""Whether a value and the rows behind it agree, layer by layer, from the report down to what was landed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from hic_assets.explain.check import disagreement
from hic_assets.explain.model import SIDES, Cell
from hic_assets.explain.raw import Traced
from hic_assets.explain.rows import Totals


@dataclass
class Verdict:
    """What was compared and agrees, and what does not. ``hide``: numbers are kept back, in sentences too."""

    hide: bool = False
    agrees: list[str] = field(default_factory=list)
    disagrees: list[str] = field(default_factory=list)

    def add(self, words: str, found: list[str | None]) -> None:
        """One comparison: in words, and what it found wrong."""
        wrong = [one for one in found if one]
        self.disagrees += wrong
        if not wrong:
            self.agrees.append(words)


def compare_report(verdict: Verdict, cell: Cell) -> None:
    """The report with the fact it is a view of, and its value with the division."""
    if cell.indicator.kind == "catalogue" and not cell.is_kept_back:
        mart, fact = "reporting.rpt_core_indicators", "dwh.fct_core_indicator over its months"
        found = [disagreement(side, mart, cell.row[side], fact, cell.sides[side], verdict.hide) for side in SIDES]
        verdict.add("the report says what its months say", found)
    if not cell.is_kept_back or cell.indicator.kind == "dhis2":
        made = divided(cell)
        found = [disagreement("value", "the mart", cell.row["value"], "the division", made, verdict.hide)]
        verdict.add("the value is numerator by denominator", found)


def divided(cell: Cell) -> float | None:
    """The value: division comes last; a floor only of the catalogue."""
    numerator, denominator = (cell.sides[side] for side in SIDES)
    if numerator is None or not denominator:
        return None
    factor = (cell.about["factor"] or 1) * cell.row.get("annualization_factor", 1)
    value = float(numerator * factor / denominator)
    floor = cell.about.get("value_floor")
    return value if floor is None else max(value, floor)


def compare_measures(verdict: Verdict, cell: Cell) -> None:
    """The sides in the fact with the measures that they are added up from."""
    found = [
        disagreement(side, "dwh.fct_core_indicator", cell.sides[side], "its measures add up to", cell.made[side], verdict.hide)
        for side in SIDES
    ]  # fmt: skip
    verdict.add("the measures add up to both sides", found)


def compare_rows(verdict: Verdict, cell: Cell, totals: Totals) -> None:
    """Each measure and month with the fact rows below it."""
    found = [
        disagreement(
            f"{part.key} {month:%Y-%m}",
            "dwh.fct_measure_month",
            cell.by_month.get((part.number, month)),
            "the fact rows add up to",
            totals.values.get((part.number, month)),
            verdict.hide,
        )
        for part in cell.parts
        for month in part.weights
    ]
    # A measure may stand on both sides.
    verdict.add("the fact rows add up to each measure and month", list(dict.fromkeys(found)))


def compare_expressions(verdict: Verdict, cell: Cell, made: Mapping[str, float | None]) -> None:
    """The sides in the fact with the compiled expressions, over operands added up from the fact rows."""
    mart, found = "dwh.fct_indicator_value", "the expression makes of the fact rows"
    wrong = [disagreement(side, mart, cell.sides[side], found, made[side], verdict.hide) for side in SIDES]
    verdict.add("the fact rows, through the compiled expressions, give both sides", wrong)


def compare_raw(verdict: Verdict, traced: Traced) -> None:
    """The fact rows with the raw rows of their keys, and the other way round."""
    again = "the source was landed again, or a fact changed, since the mart was built: build the months again"
    wrong = [
        (traced.missing, "have no raw row"),
        (traced.other_load, "have a raw row of another load"),
        (traced.other_value, "have a raw row of another value"),
    ]
    said: list[str | None] = [
        f"fact rows: {'some' if verdict.hide else f'{count:,}'} {words} ({again})" for count, words in wrong if count
    ]
    verdict.add("each fact row has its raw row, of the same load and value", said)
    lost = f"raw rows: {'some' if verdict.hide else f'{traced.unbuilt:,}'} that count are in no fact row (build the months again)"
    verdict.add("each raw row that counts has its fact row", [lost if traced.unbuilt else None])


def month_total(cell: Cell, totals: Totals | None, number: int, month: date) -> float | None:
    """A part's number of a month: as the mart has it, or where it holds none of its own as the fact rows come to."""
    if cell.indicator.kind == "catalogue":
        return cell.by_month.get((number, month))
    return totals.values.get((number, month)) if totals else None
