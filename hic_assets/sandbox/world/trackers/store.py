"""One tracker instance as tables: what is visible at the world's clock, and the changes made to it.

Belongs here: the public face that the server and the tests use. Rules are in the modules beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hic_assets.sandbox.world.hashing import uid
from hic_assets.sandbox.world.trackers import drift, editing, people
from hic_assets.sandbox.world.trackers.book import Book, Frames
from hic_assets.sandbox.world.trackers.catalogue import Instance, ProgrammeSpec, StageSpec
from hic_assets.sandbox.world.trackers.changes import Changes, below
from hic_assets.sandbox.world.trackers.draft import Setting
from hic_assets.sandbox.world.trackers.people import Persons
from hic_assets.sandbox.world.trackers.schema import ATTRIBUTES, ENROLLMENTS, EVENTS, KINDS, TRACKED_ENTITIES

if TYPE_CHECKING:
    from hic_assets.sandbox.world.country import World

CHILDREN = ("birth_registration", "immunization", "perinatal_death_audit", "child_death_audit", "crvs")
"""Programmes in which a new person is a newborn."""


class TrackerStore:
    """One tracker instance. Everything is as of ``world.now``; thread-safe under ``world.lock``.

    ``write`` makes the book of a programme told at least to a moment (ms); ``setting`` is what it was written with.
    """

    def __init__(
        self, world: World, instance: Instance, write: Callable[[ProgrammeSpec, int], tuple[Book, Setting]]
    ) -> None:
        self.world, self.instance = world, instance
        self._write = write
        self._books: dict[str, tuple[Book, Setting]] = {}
        self._told: dict[str, tuple[tuple[int, int], Frames]] = {}
        self._shown: dict[str, tuple[tuple[int, int], Frames]] = {}
        self._changes = Changes()
        self._people: list[tuple[str, pl.Series, Persons]] = []
        self._revision = self._number = 0

    # ---- reading

    @property
    def version(self) -> tuple[int, int]:
        """Changes whenever a frame may have changed (the clock, and the number of mutations): a cache key."""
        return (self.world.now_ms, self._revision)

    def programme(self, program: str) -> ProgrammeSpec:
        """A programme by uid; KeyError when the instance has none."""
        return {p.uid: p for p in self.instance.programmes}[program]

    def frame(self, kind: str, program: str) -> pl.DataFrame:
        """Records of a kind in a programme (uid), deleted ones included; columns ``SCHEMAS[kind]``, in no order.

        ``enrolled`` of a tracked entity lists the days of all its enrolments there, deleted ones included.
        KeyError for a programme of another instance.
        """
        return self._frames(program)[kind]

    def _frames(self, program: str) -> Frames:
        with self.world.lock:
            version = self.version
            if program not in self._shown or self._shown[program][0] != version:
                told = self._view(program)
                self._shown[program] = (version, self._changes.apply(told, program, version[0]))
            return self._shown[program][1]

    def _view(self, program: str) -> Frames:
        now = self.world.now_ms
        at = (now, self._changes.purged(now))
        if program not in self._told or self._told[program][0] != at:
            self._told[program] = (at, self._book(program)[0].view(*at))
        return self._told[program][1]

    def _book(self, program: str) -> tuple[Book, Setting]:
        now = self.world.now_ms
        if program not in self._books or self._books[program][1].horizon < now:
            self._books[program] = self._write(self.programme(program), now)
        return self._books[program]

    # ---- changing

    def insert_event(
        self,
        program: str,
        enrollment: str,
        stage: str,
        occurred_at: date,
        values: Mapping[str, str] | None = None,
        *,
        at: int | None = None,
    ) -> str:
        """Add a completed event (stage uid, values by data element uid; None draws some); returns its uid."""
        spec = next(s for s in self.programme(program).stages if s.uid == stage)
        with self.world.lock:
            row = self._one(ENROLLMENTS, program, enrollment)
            given = None if values is None else [values]
            return self.insert_events(program, [row], [spec], [occurred_at], given, at=at)[0]

    def insert_events(
        self,
        program: str,
        enrolments: Sequence[dict[str, Any]],
        stages: Sequence[StageSpec],
        days: Sequence[date],
        values: Sequence[Mapping[str, str]] | None = None,
        *,
        at: int | None = None,
    ) -> list[str]:
        """Add completed events, one for each enrolment (a row of ``frame``), stage and day; returns their uids."""
        with self.world.lock:
            moment, start = self._moment(at), self._next(len(stages))
            own = [uid("inserted event", self.instance.name, moment, start + i) for i in range(len(stages))]
            given = editing.drawn_values(stages, own, days) if values is None else values
            seq = [editing.sequence(moment, start + i) for i in range(len(stages))]
            parts = zip(enrolments, stages, days, given, own, seq, strict=True)
            rows = [editing.new_event(e, s, d, v, u, moment, n) for e, s, d, v, u, n in parts]
            self.put(EVENTS, program, rows, at)
        return own

    def edit_event(
        self,
        uid: str,
        *,
        values: Mapping[str, str | None] | None = None,
        occurred_at: date | None = None,
        status: str | None = None,
        at: int | None = None,
    ) -> None:
        """Change an event: values (None takes one out), day or status. KeyError when it is nowhere."""
        with self.world.lock:
            program = self._where(EVENTS, uid)
            row = self._one(EVENTS, program, uid)
            made = editing.edited_event(row, values or {}, occurred_at, status, self._moment(at))
            self.put(EVENTS, program, [made], at)

    def edit_attributes(self, tracked_entity: str, values: Mapping[str, str | None], *, at: int | None = None) -> None:
        """Change attribute values of a tracked entity (None takes one out). KeyError when it is nowhere."""
        with self.world.lock:
            program = self._where(TRACKED_ENTITIES, tracked_entity)
            row = self._one(TRACKED_ENTITIES, program, tracked_entity)
            row["attributes"] = editing.changed(row["attributes"], "attribute", values)
            self.put(TRACKED_ENTITIES, program, [row], at)

    def insert_person(
        self,
        program: str,
        *,
        org_unit: str | None = None,
        enrolled_at: date | None = None,
        attributes: Mapping[str, str] | None = None,
        at: int | None = None,
    ) -> tuple[str, str]:
        """Register and enrol a new person; returns the uids of the tracked entity and the enrolment.

        ``attributes`` (by uid) replace those drawn for the person; ``enrolled_at`` is today when not given.
        """
        with self.world.lock:
            day = enrolled_at or editing.local_day(self._moment(at))
            entities, enrolments = self.register(program, [day], self._moment(at))
            if org_unit is not None:
                entities = entities.with_columns(org_unit=pl.lit(org_unit))
                enrolments = enrolments.with_columns(org_unit=pl.lit(org_unit))
            if attributes is not None:
                pairs = editing.changed([], "attribute", attributes)
                entities = entities.with_columns(pl.Series("attributes", [pairs], dtype=ATTRIBUTES))
            self.put(TRACKED_ENTITIES, program, entities, at)
            self.put(ENROLLMENTS, program, enrolments, at)
        return str(entities["uid"][0]), str(enrolments["uid"][0])

    def delete(self, kind: str, uid: str, *, at: int | None = None) -> None:
        """Soft-delete a record and all below it. KeyError when it is nowhere."""
        with self.world.lock:
            self.delete_many(kind, self._where(kind, uid), pl.Series([uid]), at)

    def delete_many(self, kind: str, program: str, uids: pl.Series, at: int | None = None) -> None:
        """Soft-delete records of a programme and all below them."""
        with self.world.lock:
            for each, rows in below(kind, uids, self._frames(program)).items():
                self.put(each, program, rows.with_columns(deleted=pl.lit(True)), at)

    def purge_deleted(self) -> None:
        """What the maintenance job does: every tombstone there is now is gone."""
        with self.world.lock:
            self._changes.purges.append(self.world.now_ms)
            self._revision += 1

    def drift(self, n: int, rng: np.random.Generator) -> None:
        """A random mix of about ``n`` changes over the programmes, visible all at once."""
        with self.world.lock:
            drift.drift(self, n, rng)

    def put(self, kind: str, program: str, rows: Sequence[Mapping[str, Any]] | pl.DataFrame, at: int | None) -> None:
        """Store whole rows (columns ``SCHEMAS[kind]``) as they are from ``at`` (now) on."""
        frame = rows if isinstance(rows, pl.DataFrame) else editing.frame(kind, [dict(r) for r in rows])
        with self.world.lock:
            self._changes.put(kind, program, frame, self._moment(at))
            self._revision += 1

    def register(self, program: str, days: Sequence[date], at: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Tracked entities and enrolments of new persons, one a day given; not stored yet."""
        spec, setting = self.programme(program), self._book(program)[1]
        start = self._next(len(days))
        persons = editing.new_persons(len(days), (self.world.seed, program, at, start), setting, days)
        if spec.key in CHILDREN:
            persons = editing.newborn(persons, days)
        entities, enrolments = editing.registered(spec, setting, persons, days, at, start)
        self._people.append((program, entities["uid"], persons))
        return entities, enrolments

    def _next(self, many: int = 1) -> int:
        self._number += many
        return self._number - many

    def _moment(self, at: int | None) -> int:
        return self.world.now_ms if at is None else at

    def _where(self, kind: str, uid: str) -> str:
        for spec in self.instance.programmes:
            if self.frame(kind, spec.uid).select((pl.col("uid") == uid).any()).item():
                return spec.uid
        raise KeyError(f"no record {uid!r} among the {kind} of {self.instance.name}")

    def _one(self, kind: str, program: str, uid: str) -> dict[str, Any]:
        rows = self.frame(kind, program).filter(pl.col("uid") == uid).to_dicts()
        if not rows:
            raise KeyError(f"no record {uid!r} among the {kind} of {program}")
        return rows[0]

    # ---- the truth

    def truth(self, kind: str) -> pl.DataFrame:
        """Columns uid, person: whom each visible record is really about. Never served."""
        if kind not in KINDS:
            raise ValueError(f"no kind {kind!r}; there are {', '.join(KINDS)}")
        whole = pl.concat([self._entities_truth(p.uid) for p in self.instance.programmes])
        owner = "uid" if kind == TRACKED_ENTITIES else "tracked_entity"
        frames = [self.frame(kind, p.uid).select("uid", pl.col(owner).alias("of")) for p in self.instance.programmes]
        return pl.concat(frames).join(whole, left_on="of", right_on="uid", how="inner").select("uid", "person")

    def _entities_truth(self, program: str) -> pl.DataFrame:
        with self.world.lock:
            book = self._book(program)[0]
            parts = [(book.entities["uid"], book.entities["_person"].to_numpy())]
            parts += [(uids, persons.key) for other, uids, persons in self._people if other == program]
        return pl.concat([pl.DataFrame({"uid": u, "person": people.person_uid(k)}) for u, k in parts])

    def persons(self) -> pl.DataFrame:
        """The persons of this instance as they really are: person, surname, given_name, sex (M, F), birth_date, nid,
        phone, home (organisation unit), mother (person). Never served.
        """
        with self.world.lock:
            books = [self._book(p.uid) for p in self.instance.programmes]
            everybody = [book.persons for book, _ in books] + [p for _, _, p in self._people]
        return people.table(people.concat(everybody), books[0][1].places)
