"""A value explained: everything of it that the asker may read and reports do not keep back, as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, IsolationLevel

from hic_assets.explain import raw, rows
from hic_assets.explain.asked import asked_period
from hic_assets.explain.check import added
from hic_assets.explain.compiled import compiled_cell, evaluated
from hic_assets.explain.core import core_cell, shown_facilities
from hic_assets.explain.facts import untraced
from hic_assets.explain.loads import loads_of, requests_of
from hic_assets.explain.model import SIDES, Cell, Indicator, Part, Unit
from hic_assets.explain.rights import EXPRESSIONS, FACTS, PARTS, RAW, Rights
from hic_assets.explain.verify import (
    Verdict,
    compare_expressions,
    compare_measures,
    compare_raw,
    compare_report,
    compare_rows,
    divided,
    month_total,
)

KEPT_BACK = "Kept back in reporting: a small cell of a sensitive programme, or what would give one away."
LEFT_OUT = (
    "Left out of rpt_indicator_monthly: it counts cases of a sensitive programme, whose small cells are kept back."
)
ROWS_KEPT_BACK = (
    "Fact rows and raw rows are finer than what reports show of a sensitive programme, and are kept back; facilities are "
    "shown as far as the report shows them."
)
Found = list[dict[str, Any]]


@dataclass(frozen=True)
class Question:
    """What is asked. ``limit``: rows of each list; ``confidential``: also what reports keep back."""

    indicator: Indicator
    unit: Unit
    period: str
    limit: int = 20
    confidential: bool = False


def explained(connection: Connection[Any], rights: Rights, question: Question) -> dict[str, Any]:
    """The answer; ``disagreements`` is empty where number and rows agree.

    Raises:
        NoValue: there is none. NotAPeriod: the period is none.
    """
    make = core_cell if question.indicator.kind == "catalogue" else compiled_cell
    cell = make(connection, rights, question.indicator, question.unit, asked_period(question.period))
    hide = cell.is_kept_back and not question.confidential
    # A month's number of a shown quarter is finer than what is shown.
    verdict = Verdict(hide or (cell.is_sensitive and not question.confidential))
    compare_report(verdict, cell)
    if cell.parts and cell.indicator.kind == "catalogue":
        compare_measures(verdict, cell)
    reading = _Reading(connection, rights, cell, question)
    reading.add_up(verdict)
    origin = reading.origin(verdict)
    return {
        **_head(cell, hide),
        "parts": [reading.part(part) for part in cell.parts],
        **origin,
        "agrees": verdict.agrees,
        "disagreements": verdict.disagrees,
        "not_shown": reading.not_shown(),
    }


def begin(connection: Connection[Any]) -> None:
    """One state of the warehouse for all questions, and no writing."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    # Compiling such queries takes longer than running them.
    connection.execute("set local jit = off")


def _head(cell: Cell, hide: bool) -> dict[str, Any]:
    row, about = cell.row, cell.about
    hidden: Mapping[str, float | None] = dict.fromkeys(SIDES) if hide else cell.sides
    catalogue = ("domain", "result_kind", "periodicity", "source_of_truth", "reference", "is_annualised", "value_floor")
    dhis2 = ("numerator_expression", "denominator_expression", "description", "is_annualized")
    said = catalogue if cell.indicator.kind == "catalogue" else dhis2
    in_words = "" if cell.indicator.kind == "catalogue" else "_description"
    return {
        "indicator": {
            "of": cell.indicator.kind,
            "code": cell.indicator.code,
            "key": cell.indicator.key,
            "name": cell.indicator.name,
            "numerator": about[f"numerator{in_words}"],
            "denominator": about[f"denominator{in_words}"],
            **{name: about[name] for name in said},
        },
        "place": {"uid": cell.unit.uid, "name": cell.unit.name, "level": cell.unit.level, "fosa_code": cell.unit.fosa_code},
        "period": {"type": cell.asked.type, "period": cell.asked.label, "months": [str(m) for m in cell.months]},
        "value": None if hide else divided(cell) if cell.is_kept_back else row["value"],
        **hidden,
        "factor": about["factor"],
        "annualization_factor": row.get("annualization_factor"),
        "is_kept_back": cell.is_kept_back,
        "is_sensitive": cell.is_sensitive,
        "reporting_completeness": row["reporting_completeness"],
        "expected_reports": row["expected_reports"],
        "received_reports": row["received_reports"],
        "data_as_of": row["data_as_of"],
        "quality_flags": row.get("quality_flags"),
    }  # fmt: skip


class _Reading:
    """The rows behind a value, as far as they may be read and shown."""

    def __init__(self, connection: Connection[Any], rights: Rights, cell: Cell, question: Question) -> None:
        self._connection, self._cell, self._limit = connection, cell, question.limit
        self._rights, self._open = rights, question.confidential
        self._facts = bool(cell.parts) and rights.may(FACTS)
        self._raw = self._facts and rights.may(RAW)
        self._totals = rows.totals(connection, cell) if self._facts else None
        self._fine = self._facts and self._shows_rows()
        self._units = self._by_part(self._facilities())
        self._rows = self._by_part(rows.one_by_one(connection, cell, self._limit) if self._fine else [])
        shows_raw = self._fine and self._raw
        self._raw_rows = self._by_part(raw.one_by_one(connection, cell, self._limit) if shows_raw else [])
        self._raw_counts: dict[int, int] = {}

    def add_up(self, verdict: Verdict) -> None:
        """Compare the fact rows with what the mart holds."""
        if self._totals is None:
            return
        if self._cell.indicator.kind == "catalogue":
            compare_rows(verdict, self._cell, self._totals)
        else:
            made = evaluated(self._connection, self._cell, self._totals.values)
            compare_expressions(verdict, self._cell, made)

    def origin(self, verdict: Verdict) -> dict[str, Any]:
        """Loads and requests behind; compares the raw rows with the fact rows."""
        if not self._raw:
            return {"loads": [], "requests": [], "requests_in_all": 0}
        found, self._raw_counts = raw.traced(self._connection, self._cell)
        compare_raw(verdict, found)
        behind = raw.loads_behind(self._connection, self._cell)
        requests = requests_of(self._connection, behind)
        asked = Counter(request["load_id"] for request in requests)
        return {
            "loads": [{**load, "requests": asked[load["load_id"]]} for load in loads_of(self._connection, behind)],
            "requests": requests[: self._limit],
            "requests_in_all": len(requests),
        }

    def part(self, part: Part) -> dict[str, Any]:
        """A part with its numbers and rows; where the value is kept back, without."""
        cell = self._cell
        held = [(month_total(cell, self._totals, part.number, month), weight) for month, weight in part.weights.items()]
        numbers = [] if self._hides else [(value, weight) for value, weight in held if value is not None]
        is_measure = cell.indicator.kind == "catalogue"
        return {
            "side": part.side,
            "part": part.key,
            "name": part.name,
            "sign": part.sign,
            "detail": part.detail,
            "months": [f"{month:%Y-%m}" for month in part.weights],
            "value": added([value for value, _ in numbers]),
            "counts_as": added([value * weight for value, weight in numbers]) if is_measure else None,
            "fact_rows": self._totals.rows[part.number] if self._totals and self._fine else None,
            "raw_rows_in_all": self._raw_counts.get(part.number, 0) if self._raw and self._fine else None,
            "facilities": self._units.get(part.number, []),
            "rows": self._rows.get(part.number, []),
            "raw_rows": self._raw_rows.get(part.number, []),
        }

    def not_shown(self) -> list[str]:
        """What is missing from the answer, and why."""
        said = []
        if self._cell.is_kept_back:
            said.append(LEFT_OUT if self._cell.indicator.kind == "dhis2" else KEPT_BACK)
        if self._facts and not self._fine and not self._hides:
            said.append(ROWS_KEPT_BACK)
        said += [
            f"Not followed to raw rows: {fact}, of which sums by facility are all." for fact in untraced(self._cell)
        ]
        first = PARTS if self._cell.indicator.kind == "catalogue" else EXPRESSIONS
        for what, needed in (
            ("what it is made of", first),
            ("fact rows", FACTS),
            ("raw rows, loads and requests", RAW),
        ):
            if not self._rights.may(needed):
                said.append(f"Not read: {what}; {self._rights.lacks(needed)}.")
                break
        return said

    @property
    def _hides(self) -> bool:
        return self._cell.is_kept_back and not self._open

    def _shows_rows(self) -> bool:
        """Rows are finer than a cell: not those of a sensitive programme."""
        if self._open:
            return True
        return not self._cell.is_sensitive and not rows.counts_a_sensitive_programme(self._connection, self._cell)

    def _facilities(self) -> Found:
        """Sums by facility of a higher place; of a sensitive programme those that the report shows."""
        cell = self._cell
        if not self._facts or self._hides or cell.unit.level == "facility":
            return []
        if self._fine:
            return rows.by_facility(self._connection, cell, self._limit, None)
        shown = (
            shown_facilities(self._connection, cell)
            if cell.is_sensitive and cell.indicator.kind == "catalogue"
            else set()
        )
        # How many rows a number is made of tells of the number.
        return [{**row, "rows": None} for row in rows.by_facility(self._connection, cell, self._limit, shown)]

    def _by_part(self, found: Found) -> dict[int, Found]:
        by_part: dict[int, Found] = {}
        for row in found:
            by_part.setdefault(row.pop("part"), []).append(row)
        return by_part
