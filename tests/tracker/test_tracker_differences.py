"""Every kind of difference put on one family of endpoints is found, in its class, and in the records it was put on.

Over real HTTP, landed by both pipelines, compared in PostgreSQL. Each case first sees the two sides agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
from pg_servers import rows
from tracker_country import PAIRS, WEEKS, Trackers, trackers

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.errors import SourceError
from hic_assets.landing.errors import LandingError
from hic_assets.parity.compare import compare
from hic_assets.parity.differences import Difference, ParityResult
from hic_assets.sandbox.server.tracker.differences import DIFFERENCES
from hic_assets.systems.declare import Pipeline, Programme, System
from hic_assets.warehouse import Warehouse

BY_NAME = {programme.name: (system, programme) for system, programme in PAIRS}
WEEK = WEEKS[2]
MISSING = {"legacy": Difference.MISSING_IN_LEGACY, "unified": Difference.MISSING_IN_UNIFIED}
EXTRA = {"legacy": Difference.MISSING_IN_UNIFIED, "unified": Difference.MISSING_IN_LEGACY}
DELETED_ELSEWHERE = {"legacy": Difference.DELETED_IN_UNIFIED, "unified": Difference.DELETED_IN_LEGACY}
DIFFERS = dict.fromkeys(MISSING, Difference.VALUE_DIFFERS)
REPEATED = dict.fromkeys(MISSING, Difference.DUPLICATED)


@dataclass(frozen=True)
class Case:
    """What is put on one side, and the class by side in which it must be found. ``field``: part of the field's name."""

    expected: dict[str, Difference]
    programme: str = "hiv"
    kind: Kind = Kind.EVENTS
    options: dict[str, object] = field(default_factory=dict)
    field: str | None = None
    pattern: str | None = None
    moves: bool = False


CASES = {
    "lost_page": Case(MISSING, options={"rows": 40}, pattern="a page was lost"),
    "lost_deletion": Case(DELETED_ELSEWHERE, programme="immunization"),
    "lost_tombstone": Case(DELETED_ELSEWHERE, programme="immunization"),
    "hour_shift": Case(DIFFERS, field="occurred_at", pattern="hour", moves=True),
    "rounded_value": Case(DIFFERS, programme="birth_registration", pattern="rounded"),
    "swapped_code": Case(DIFFERS),
    "duplicated_event": Case(REPEATED),
    "ghost_event": Case(EXTRA),
    "truncated_list": Case(MISSING, options={"limit": 60}),
    "ou_mode_ignored": Case(MISSING),
    "stale_value": Case(DIFFERS),
    "missing_value": Case(DIFFERS),
    "wrong_org_unit": Case(DIFFERS, field="org_unit"),
    "truncated_text": Case(DIFFERS, kind=Kind.TRACKED_ENTITIES, pattern="cut"),
    "mangled_encoding": Case(DIFFERS, kind=Kind.TRACKED_ENTITIES),
    "lost_zero": Case(DIFFERS, kind=Kind.TRACKED_ENTITIES, pattern="zero"),
    "swapped_day_month": Case(DIFFERS, kind=Kind.TRACKED_ENTITIES, pattern="month"),
    "status_changed": Case(DIFFERS, field="status"),
    "lost_enrollment": Case(MISSING, kind=Kind.ENROLLMENTS),
    "cut_time": Case(DIFFERS, field="completed_at"),
}


def test_every_difference_the_sandbox_knows_has_a_case() -> None:
    assert sorted(CASES) == sorted(DIFFERENCES)
    assert len(CASES) >= 12


@pytest.fixture(scope="module")
def country(postgres_server: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trackers]:
    """Six weeks, clean, by both pipelines."""
    from pg_servers import fresh_database

    folder: Path = tmp_path_factory.mktemp("differences")
    with fresh_database(postgres_server) as warehouse, trackers(warehouse, folder, scale=0.02) as made:
        store = made.sandbox.world.tracker("immunization_tracker")
        _, programme = BY_NAME["immunization"]
        events = store.frame("events", programme.uid)
        start = date.fromisoformat(WEEK)
        inside = events.filter((events["occurred_at"] >= start) & (events["occurred_at"] < start + timedelta(days=7)))
        for uid in inside.filter(~inside["deleted"])["uid"].sort()[:4]:
            # Well before anything is read: what is deleted after that is late, and no difference.
            store.delete("events", uid, at=made.sandbox.world.now_ms - 86_400_000)
        yield made


@pytest.fixture
def clean(country: Trackers) -> Iterator[Trackers]:
    country.sandbox.differences.clear()
    yield country
    country.sandbox.differences.clear()


def neighbours(case: Case) -> list[str]:
    """The week of the case, and where a record may move from it the weeks around it."""
    return WEEKS[1:4] if case.moves else [WEEK]


def loaded(country: Trackers, system: System, programme: Programme, case: Case, side: str | None = None) -> None:
    pipelines = tuple(Pipeline) if side is None else (Pipeline(side),)
    country.load(system, programme, pipelines, neighbours(case), [case.kind], accept_shrink=True)


def found(country: Trackers, programme: Programme, case: Case) -> list[ParityResult]:
    results = [compare(country.warehouse, programme, case.kind, date.fromisoformat(key)) for key in neighbours(case)]
    assert all(isinstance(result, ParityResult) for result in results)
    return [result for result in results if isinstance(result, ParityResult)]


@pytest.mark.slow
@pytest.mark.parametrize("side", ["legacy", "unified"])
@pytest.mark.parametrize("name", sorted(CASES))
def test_a_difference_on_one_side_is_found_in_its_class(clean: Trackers, name: str, side: str) -> None:
    case, country = CASES[name], clean
    system, programme = BY_NAME[case.programme]
    loaded(country, system, programme, case)
    assert [result.differences for result in found(country, programme, case)] == [0] * len(neighbours(case))
    start = date.fromisoformat(WEEK)
    window = {} if DIFFERENCES[name].change is None else {"start": start, "end": start + timedelta(days=6)}
    put = country.sandbox.differences.inject(
        name,
        side,
        programme.uid,
        kind=case.kind.value,
        **window,
        **case.options,  # type: ignore[arg-type]
    )
    try:
        loaded(country, system, programme, case, side)
    except (SourceError, LandingError) as refused:
        # A reader that notices by itself lands nothing at all, which is better still; the values of rows it cannot see.
        assert DIFFERENCES[name].change is None, refused
        assert side == "unified"
        return
    results = found(country, programme, case)
    counts = {d: sum(result.counts[d] for result in results) for d in Difference}
    if name == "hour_shift":
        counts[Difference.VALUE_DIFFERS] += counts.pop(Difference.OTHER_PARTITION)
    expected = case.expected[side]
    classes = {d for d, n in counts.items() if n}
    # A list that ends too early, or is of one unit only, lacks tombstones too.
    assert classes - ({DELETED_ELSEWHERE[side]} if put.spec.change is None else set()) == {expected}, counts
    if DIFFERENCES[name].change is not None:
        assert put.uids
        assert counts[expected] >= len(put.uids)
    if case.field:
        fields = {name for result in results for name in result.by_field}
        assert not fields or fields == {case.field}
    assert_samples(country, results, put.uids, expected)
    if case.pattern:
        said = " ".join(result.patterns or "" for result in results).lower()
        assert case.pattern in said, said
    if case.moves:
        country.sandbox.differences.clear()
        loaded(country, system, programme, case, side)


def assert_samples(country: Trackers, results: list[ParityResult], uids: list[str], expected: Difference) -> None:
    """The samples name the records that were touched, and no person."""
    ids = [result.parity_id for result in results]
    kept = rows(
        country.warehouse,
        f"select * from ops.parity_difference where parity_id in ({', '.join(map(str, ids))})",
    )
    if expected is Difference.DUPLICATED:
        return
    assert kept
    text = str(kept)
    if uids and expected in (Difference.VALUE_DIFFERS, Difference.DELETED_IN_LEGACY, Difference.DELETED_IN_UNIFIED):
        assert any(uid in text for uid in uids)
