"""Which records answer a question, and in what order.

Belongs here: a question and a view to row numbers. Does not belong here: how a record is written.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from hic_assets.sandbox.server.tracker.dialect import TrackerDialect
from hic_assets.sandbox.server.tracker.question import Question
from hic_assets.sandbox.server.tracker.view import View
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, TRACKED_ENTITIES

_NUMBER = "_number"


@dataclass(frozen=True)
class Found:
    """All that match, in order: ``numbers`` are rows of ``frame``."""

    frame: pl.DataFrame
    numbers: pl.Series

    def take(self, begin: int, count: int) -> pl.DataFrame:
        """Some of the records."""
        return self.frame[self.numbers[begin : begin + count]]


def find(question: Question, view: View) -> Found:
    """Every record that matches, in the order asked for or the version's own."""
    frame = view.frame(question.kind, question.programs)
    order = _order(question, view.dialect)
    tie = _tie(question, view.dialect)
    keys = [pl.col(c).list.max().alias(c) if c == "enrolled" else pl.col(c) for c, _ in order]
    narrow = frame.lazy().with_row_index(_NUMBER).filter(*_conditions(question, view)).select(_NUMBER, *keys, tie)
    falls = [falling for _, falling in order]
    sorted_rows = narrow.sort([*(c for c, _ in order), "_tie"], descending=[*falls, False], nulls_last=True)
    return Found(frame, sorted_rows.select(_NUMBER).collect()[_NUMBER])


def _order(question: Question, dialect: TrackerDialect) -> list[tuple[str, bool]]:
    """Columns and whether each falls: those asked for, else the version's own."""
    if question.order:
        once: dict[str, bool] = {}
        for column, falls in question.order:
            once.setdefault(column, falls)
        return list(once.items())
    if dialect.newest_first or question.kind == ENROLLMENTS:
        return [("_seq", True)]
    return [("updated_ms", True)] if question.kind == EVENTS else [("_seq", False)]


def _tie(question: Question, dialect: TrackerDialect) -> pl.Expr:
    """What parts equal rows: the id or, where a version has no tie-break, something that changes with the page."""
    if question.kind != EVENTS or dialect.breaks_ties:
        return (-pl.col("_seq") if dialect.newest_first else pl.col("_seq")).alias("_tie")
    return ((pl.col("_seq") * 7919 + question.paging.page * 104_729) % 65_521).alias("_tie")


def _conditions(question: Question, view: View) -> list[pl.Expr]:
    found = list(question.conditions)
    if question.units is not None:
        found.append(pl.col("org_unit").is_in(list(question.units)))
    if question.selected is not None:
        found.append(pl.col("uid").is_in(list(question.selected)))
    if not question.include_deleted:
        found.append(~pl.col("deleted"))
    if question.enrolled:
        parents = _related(question, view, ENROLLMENTS, question.enrolled)
        found.append(pl.col("uid" if question.kind == TRACKED_ENTITIES else "enrollment").is_in(parents))
    if question.happened:
        found.append(pl.col("uid").is_in(_related(question, view, EVENTS, question.happened)))
    return found or [pl.lit(True)]


def _related(question: Question, view: View, kind: str, conditions: list[pl.Expr]) -> pl.Series:
    """The records that have an enrolment or event so."""
    alive = pl.lit(True) if question.include_deleted else ~pl.col("deleted")
    column = "tracked_entity" if question.kind == TRACKED_ENTITIES else "uid"
    related = view.frame(kind, question.programs)
    return related.lazy().filter(alive, *conditions).select(column).unique().collect()[column].implode()
