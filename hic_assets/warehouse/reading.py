"""Which relation analysts, officers and districts may read: decided from what the catalogue says of it, for relations nobody knows yet too.

Belongs here: the decision. Does not: reading the catalogue and granting (``grants``), who is in which role (``roles``).

What is not decided for is denied. A mart needs no entry anywhere: it is read by analysts for being in ``dwh`` or ``reporting``,
by officers for being in ``reporting``, and by districts if one of its columns says where each row belongs, or if it is a
dimension without places and persons.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

REPORTS = "reporting"
MARTS = ("dwh", REPORTS)

SEEDS = frozenset(file.stem for file in (Path(__file__).parents[2] / "dbt_project" / "seeds").glob("*.csv"))
"""Lists that stand in the project itself, so hold no person."""

BESIDE_MARTS = frozenset(
    {
        ("intermediate", "int_code_use"),
        # Counts of facilities.
        ("intermediate", "int_consistency_breach"),
        # What facts of dwh are views of: persons as pseudonyms, and the place of each row.
        ("intermediate", "int_death_audit_event"),
        # Counts of places.
        ("intermediate", "int_death_audit_quarter"),
        # This and int_programme_disclosure: what is shown and what is not, of which place and month, and no number.
        ("intermediate", "int_disclosure"),
        ("intermediate", "int_facility_crosswalk"),
        # Weekly counts of facilities.
        ("intermediate", "int_idsr_path"),
        ("intermediate", "int_org_unit"),
        ("intermediate", "int_org_unit_closure"),
        ("intermediate", "int_programme_disclosure"),
        ("intermediate", "int_programme_enrolment_monthly"),
        ("intermediate", "int_programme_enrolment_weekly"),
        ("intermediate", "int_programme_event_monthly"),
        ("intermediate", "int_programme_event_weekly"),
        ("intermediate", "int_reporting_rollup"),
        ("ops", "idsr_alert_fired"),
        ("staging", "stg_alerts__verdicts"),
        # Populations.
        ("staging", "stg_hmis__yearly_values"),
        ("staging", "stg_ops__cutover_readiness"),
        ("staging", "stg_ops__cutovers"),
        ("staging", "stg_ops__parity"),
        # Counts of places, and what was expected of them.
        ("staging", "stg_quality__disruptions"),
    }
)
"""What reports and facts read outside the marts. Each was looked at: it names no person. A report that reads another is denied."""

NOT_FOR_OFFICERS = frozenset(
    {
        # Counts of records by week, of every programme, and of codes of every diagnosis: for those who mend pipelines and lists.
        "rpt_unmapped_codes",
        "tracker_cutover",
        "tracker_parity",
    }
)
"""Reports that tell true counts of what others keep back."""

OF_NO_PLACE = frozenset(
    {
        # This and int_measure_item: of what an indicator is made up.
        ("intermediate", "int_indicator_operand"),
        ("intermediate", "int_measure_item"),
        # This and int_source_month: which weeks and months of a system are loaded, and when they were; no numbers of records.
        ("intermediate", "int_partition_loaded"),
        ("intermediate", "int_source_month"),
    }
)
"""What reports read outside the marts and districts may read whole: definitions and the state of loads. A column of a place or person closes it."""

PLACE_COLUMNS: Mapping[str, str] = {
    "facility_uid": "org_unit",
    "org_unit_uid": "org_unit",
    "facility_key": "facility_key",
    "geography_uid": "org_unit",
    "district_uid": "org_unit",
    "district_key": "org_unit",
    "district_code": "district_code",
    "fosa_code": "fosa_code",
    "ancestor_uid": "whole",
}
"""Columns that say where a row belongs, and the kind of place (``access.place``); the first that a table has counts.

A ``whole`` is what a reader's rows are added up to: never the country, of which a district would see a part and take it for all.
"""

_PLACES = re.compile(
    "ancestor|catchment|country|descendant|district|facilit|fosa|geograph|hospital|location|org_unit|place|province|residence|sector|village"
)
_PERSONS = re.compile("client|enrol|mother|newborn|patient|person|tracked")


@dataclass(frozen=True)
class Relation:
    """What the catalogue says of a relation. ``columns``: name to type; ``reads``: of a view, what it stands on."""

    oid: int
    schema: str
    name: str
    kind: str
    columns: Mapping[str, str]
    reads: frozenset[int] = frozenset()
    runs_as_reader: bool = False
    """A view with ``security_invoker``: what it reads is asked for with the rights of whoever asks."""
    has_barrier_decided: bool = False
    """A view with ``security_barrier``, where a reader's condition sees no row that is left out; or said to leave nothing out."""

    @property
    def is_table(self) -> bool:
        """Whether PostgreSQL can hold its rows to policies."""
        return self.kind in ("r", "p")

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Verdict:
    """Who may read a relation. ``place``: the column by which a district reads its own rows only; ``why`` of what is denied.

    ``officer``: a report, or what one reads as its reader; the latter by no name of its own, for lack of ``USAGE`` of its schema.
    """

    analyst: bool
    district: bool
    place: str | None = None
    why: str = ""
    officer: bool = False

    @property
    def readers(self) -> tuple[bool, bool, bool]:
        """Whether each may, in the order of ``Roles.readers``."""
        return self.analyst, self.officer, self.district


DENIED = Verdict(False, False, why="not a mart")


def decide(relations: Iterable[Relation]) -> dict[int, Verdict]:
    """The verdict on each relation, by its oid."""
    known = {relation.oid: relation for relation in relations}
    verdicts: dict[int, Verdict] = {}
    for oid in known:
        _decide(oid, known, verdicts)
    for oid in _reported(known, verdicts):
        verdicts[oid] = replace(verdicts[oid], officer=True)
    return verdicts


def _reported(known: Mapping[int, Relation], verdicts: Mapping[int, Verdict]) -> set[int]:
    """Open reports, and what they read with the rights of whoever asks."""
    found: set[int] = set()
    waiting = [
        oid
        for oid, relation in known.items()
        if relation.schema == REPORTS and relation.name not in NOT_FOR_OFFICERS and verdicts[oid].analyst
    ]
    while waiting:
        oid = waiting.pop()
        if oid in found or oid not in known:
            continue
        found.add(oid)
        if known[oid].schema in MARTS or known[oid].runs_as_reader:
            waiting += known[oid].reads
    return found


def place_column(relation: Relation) -> str | None:
    """The column that says where the relation's rows belong."""
    return next((column for column in PLACE_COLUMNS if column in relation.columns), None)


def _decide(oid: int, known: Mapping[int, Relation], verdicts: dict[int, Verdict]) -> Verdict:
    """The verdict on one, after those on what it stands on: PostgreSQL knows no circles among views."""
    if oid not in verdicts:
        verdicts[oid] = _verdict(known[oid], known, verdicts) if oid in known else DENIED
    return verdicts[oid]


def _verdict(relation: Relation, known: Mapping[int, Relation], verdicts: dict[int, Verdict]) -> Verdict:
    is_mart = relation.schema in MARTS
    is_seed = relation.schema == "staging" and relation.name in SEEDS and relation.is_table
    is_of_no_place = (relation.schema, relation.name) in OF_NO_PLACE
    if not (is_mart or is_seed or is_of_no_place or (relation.schema, relation.name) in BESIDE_MARTS):
        return DENIED
    # Also a view that asks as its owner: whatever it shows, its columns say.
    if is_of_no_place and relation.kind in ("r", "p", "v"):
        return _without_place(relation)
    if relation.kind == "v":
        return _of_view(relation, is_mart, known, verdicts)
    if is_seed:
        return Verdict(True, True)
    if not relation.is_table:
        return Verdict(is_mart, False, why="districts: no policy holds for what is neither table nor view")
    place = place_column(relation)
    if place is not None:
        return Verdict(True, True, place)
    return _without_place(relation)


def _of_view(view: Relation, is_mart: bool, known: Mapping[int, Relation], verdicts: dict[int, Verdict]) -> Verdict:
    below = {str(known.get(oid, oid)): _decide(oid, known, verdicts) for oid in sorted(view.reads)}
    if not is_mart and not view.runs_as_reader:
        return Verdict(True, False, why="districts: runs with its owner's rights")
    closed = [name for name, verdict in below.items() if not verdict.analyst]
    if closed:
        return Verdict(False, False, why=f"reads {', '.join(closed)}")
    hidden = [name for name, verdict in below.items() if not verdict.district]
    return Verdict(True, not hidden, why=f"districts: reads {', '.join(hidden)}" if hidden else "")


def _without_place(relation: Relation) -> Verdict:
    """Open to districts is what speaks of no place and no person: a dimension, or what was looked at for it."""
    # The type of a facility is no place.
    columns = [column for column in relation.columns if "type" not in column]
    if "uuid" in relation.columns.values() or any(map(_PERSONS.search, columns)):
        return Verdict(True, False, why="districts: holds persons, and no column that says where")
    is_looked_at = relation.name.startswith("dim_") or (relation.schema, relation.name) in OF_NO_PLACE
    if any(map(_PLACES.search, columns)) or PLACE_COLUMNS.keys() & relation.columns.keys() or not is_looked_at:
        return Verdict(True, False, why=f"districts: none of its columns says where: {', '.join(PLACE_COLUMNS)}")
    return Verdict(True, True)
