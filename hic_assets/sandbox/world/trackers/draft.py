"""Writing a programme down: persons registered, enrolled, and their events, stage by stage.

Belongs here: collecting what the programmes say. Does not belong here: what happened to whom (``programmes``), making
a book of it (``binding``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hic_assets.sandbox.world.hashing import U64, key, mix, salted, uniform
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sandbox.world.trackers import filling, moments
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec, StageSpec
from hic_assets.sandbox.world.trackers.noise import Noise
from hic_assets.sandbox.world.trackers.packing import I64, MISSING, Answer, Bools, Sheet
from hic_assets.sandbox.world.trackers.people import Persons
from hic_assets.sandbox.world.trackers.places import Place, Places
from hic_assets.sandbox.world.trackers.writing import Writing

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
UNFINISHED = ("SKIPPED", "OVERDUE")


@dataclass(frozen=True)
class Setting:
    """What all programmes are written with. ``first_day`` is when the trackers went live, ``last_day`` how far the
    story is told (days since 1970); nothing depends on how far.
    """

    seed: int
    places: Places
    noise: Noise
    first_day: int
    last_day: int

    @property
    def horizon(self) -> int:
        """The last millisecond told."""
        return int(moments.midnight(np.array([self.last_day + 1]))[0]) - 1


@dataclass
class Enrolments:
    """Enrolments as columns; ``ends`` is when they are closed (NEVER) with ``end_status``."""

    entity: I64
    hashes: U64
    place: Place
    day: I64
    incident: I64
    created: I64
    ends: I64
    end_status: np.ndarray  # type: ignore[type-arg]


@dataclass
class Stage:
    """Events of one stage as columns; see ``Draft.events``."""

    spec: StageSpec
    enrolment: I64
    hashes: U64
    place: Place
    scheduled: I64
    occurred: I64
    planned: I64
    done: I64
    status: np.ndarray  # type: ignore[type-arg]
    sheet: Sheet


class Draft:
    """One programme being written: construct with who is registered, then ``enrol`` and ``events``."""

    def __init__(self, setting: Setting, spec: ProgrammeSpec, persons: Persons, days: I64, place: Place) -> None:
        """Register these persons on these days at these places; a few of them twice, at home the second time."""
        self.setting, self.spec = setting, spec
        hashes = salted(persons.key ^ mix(days.astype(np.uint64)), setting.seed, "record", spec.key)
        twice = np.nonzero(uniform(salted(hashes, "twice")) < setting.noise.duplicate)[0]
        rows = np.concatenate([np.arange(len(persons)), twice])
        self.rows = rows
        """Row of the arguments behind each tracked entity."""
        self.first = np.arange(len(rows)) < len(persons)
        self.persons, self.hashes = persons.take(rows), hashes[rows]
        self.hashes[~self.first] = salted(self.hashes[~self.first], "again")
        self.days, self.place = days[rows].copy(), place[rows].copy()
        self.days[~self.first] += moments.spread_days(self.hashes[~self.first], "again", 25.0)
        self.place[~self.first] = self.persons.home[~self.first]
        self.created = moments.typed_in(self.days, self.hashes)
        self.writing = Writing(self.persons, self.hashes, self.days, setting.places, setting.noise)
        self.attributes: dict[str, Answer] = {}
        self.enrolments: Enrolments | None = None
        self.stages: list[Stage] = []

    def enrol(self, incident: I64, again: I64 | None = None, again_day: I64 | None = None) -> None:
        """Enrol everyone on the day of registration; ``again`` are entities enrolled once more on ``again_day``."""
        many = len(self.days)
        entity = np.concatenate([np.arange(many), again]) if again is not None else np.arange(many)
        day = np.concatenate([self.days, again_day]) if again_day is not None else self.days
        hashes = salted(self.hashes[entity] ^ mix((np.arange(len(entity)) >= many).astype(np.uint64)), "enrolment")
        created = np.concatenate([self.created + 400, moments.typed_in(day[many:], hashes[many:])])
        where = np.where(np.arange(len(entity)) < many, incident[entity], day)
        never = np.full(len(entity), NEVER)
        self.enrolments = Enrolments(
            entity, hashes, self.place[entity], day, where, created, never, np.full(len(entity), "COMPLETED", object)
        )

    @property
    def enrolled(self) -> Enrolments:
        """The enrolments; ``enrol`` comes first."""
        assert self.enrolments is not None, "enrol() first"  # noqa: S101
        return self.enrolments

    def close(self, rows: Bools, ends: I64, status: str = "COMPLETED") -> None:
        """These enrolments (mask) end at these moments."""
        e = self.enrolled
        e.ends = np.where(rows, ends, e.ends)
        e.end_status[rows] = status

    def event_hashes(self, enrolment: I64, stage: str, ordinal: I64 | int = 0) -> U64:
        """The hashes of events: of an enrolment, a stage and the how-manyth."""
        turn = np.atleast_1d(ordinal).astype(np.uint64) * _GOLDEN
        return mix(self.enrolled.hashes[enrolment] ^ key("event", stage) ^ mix(turn + _GOLDEN))

    def events(
        self,
        stage: str,
        enrolment: I64,
        hashes: U64,
        occurred: I64,
        given: Mapping[str, Answer],
        *,
        scheduled: I64 | None = None,
        planned: I64 | None = None,
        done: I64 | None = None,
        status: np.ndarray | str = "COMPLETED",  # type: ignore[type-arg]
        place: Place | None = None,
    ) -> None:
        """Events of a stage. ``planned`` is when they were put on the calendar (NEVER: not before they happened),
        ``done`` when they were entered (NEVER: not yet), ``status`` what they are from then on.
        """
        e, spec = self.enrolled, self.spec.stage(stage)
        done = moments.typed_in(occurred, hashes) if done is None else done
        earliest = e.created[enrolment] + 900 + (hashes % np.uint64(1000)).astype(np.int64)
        done = np.where(done == NEVER, done, np.maximum(done, earliest))
        planned = np.full(len(hashes), NEVER) if planned is None else planned
        kept = np.nonzero(np.minimum(planned, done) <= self.setting.horizon)[0]
        words = np.broadcast_to(np.asarray(status, dtype=object), hashes.shape)
        told = (done[kept] <= self.setting.horizon) & ~np.isin(words[kept].astype(str), UNFINISHED)
        rows = kept[told]
        made = filling.answers(spec, hashes[rows], occurred[rows], {c: a.take(rows) for c, a in given.items()})
        index = np.full((len(kept), len(made.fields)), MISSING, dtype=np.int32)
        index[told] = made.index
        due = occurred if scheduled is None else scheduled
        self.stages.append(
            Stage(
                spec,
                enrolment[kept],
                hashes[kept],
                (e.place[enrolment] if place is None else place)[kept],
                due[kept],
                occurred[kept],
                planned[kept],
                done[kept],
                words[kept],
                replace(made, index=index),
            )
        )
