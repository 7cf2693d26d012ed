"""From what the programmes said to a ``Book``: uids, database ids, users, corrections, deletions.

Belongs here: what happens to records whatever they are about. Does not belong here: what is visible when (``book``).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from hic_assets.sandbox.world.catalogue import DEFAULT_COMBO
from hic_assets.sandbox.world.hashing import U64, salted, uniform
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sandbox.world.trackers import filling, moments
from hic_assets.sandbox.world.trackers.book import Answers, Book
from hic_assets.sandbox.world.trackers.draft import UNFINISHED, Draft, Stage
from hic_assets.sandbox.world.trackers.packing import I32, I64, MISSING, sheet, uids
from hic_assets.sandbox.world.trackers.places import Place


def bind(draft: Draft) -> Book:
    """Everything a draft holds as one ``Book``."""
    return _Binder(draft).book()


class _Binder:
    """One draft being bound; only to share what its parts need."""

    def __init__(self, draft: Draft) -> None:
        self.draft, self.setting, self.spec = draft, draft.setting, draft.spec
        self.noise, e = draft.setting.noise, draft.enrolled
        self.entities_gone = moments.later(draft.created, draft.hashes, "deleted", self.noise.deleted_entity, 60.0)
        own = moments.later(e.created, e.hashes, "deleted", self.noise.deleted_enrolment, 40.0)
        self.enrolments_gone = np.minimum(own, self.entities_gone[e.entity])
        self.entity_uids = uids(salted(draft.hashes, "entity uid"))
        self.enrolment_uids = uids(salted(e.hashes, "enrolment uid"))

    def book(self) -> Book:
        """The parts, without what is never visible."""
        d, e = self.draft, self.draft.enrolled
        entities, known = self._entities()
        stages = [self._stage(number, stage) for number, stage in enumerate(d.stages)]
        told = d.created <= self.setting.horizon
        visible = (e.created <= self.setting.horizon) & (e.created < self.enrolments_gone)
        return Book(
            self.spec,
            entities.filter(pl.Series(told)),
            known,
            self._enrolments().filter(pl.Series(visible)),
            pl.concat([frame for frame, _ in stages]),
            [answers for _, answers in stages],
            d.persons.take(told),
        )

    def _entities(self) -> tuple[pl.DataFrame, Answers]:
        d, gone = self.draft, self.entities_gone
        codes = {a.code: a.uid for a in self.spec.attributes}
        made = sheet({codes[c]: a for c, a in d.attributes.items()}, len(d.hashes))
        edited = moments.later(d.created, d.hashes, "edited", self.noise.edited_entity, 30.0)
        edited = np.where(edited > gone, NEVER, edited)
        rows = np.nonzero(edited != NEVER)[0]
        early = made.index[rows]
        _forget(early, salted(d.hashes[rows], "forgotten"), self._mandatory(made.fields))
        frame = pl.DataFrame(
            {
                "uid": self.entity_uids,
                "tracked_entity_type": pl.repeat(self.spec.tracked_entity_type, len(d.hashes), eager=True),
                "org_unit": self.setting.places.units.gather(pl.Series(d.place)),
                "inactive": uniform(salted(d.hashes, "inactive")) < 0.004,
                "stored_by": self._users(d.place, d.hashes),
                "_seq": _sequence(d.created, d.hashes),
                "_created": d.created,
                "_edited": edited,
                "_deleted": gone,
                "_person": d.persons.key,
                "_entity": np.arange(len(d.hashes), dtype=np.int64),
            }
        )
        return frame, Answers(made, rows, edited[rows], early)

    def _mandatory(self, fields: list[str]) -> list[bool]:
        by_uid = {a.uid: a.mandatory for a in self.spec.attributes}
        return [by_uid[name] for name in fields]

    def _enrolments(self) -> pl.DataFrame:
        e, gone, size = self.draft.enrolled, self.enrolments_gone, len(self.draft.enrolled.hashes)
        return pl.DataFrame(
            {
                "uid": self.enrolment_uids,
                "tracked_entity": self.entity_uids.gather(pl.Series(e.entity)),
                "program": pl.repeat(self.spec.uid, size, eager=True),
                "org_unit": self.setting.places.units.gather(pl.Series(e.place)),
                "enrolled_at": _days(e.day),
                "occurred_at": _days(e.incident),
                "follow_up": uniform(salted(e.hashes, "follow up")) < 0.01,
                "stored_by": self._users(e.place, e.hashes),
                "_seq": _sequence(e.created, e.hashes),
                "_created": e.created,
                "_ends": np.where(e.ends > gone, NEVER, e.ends),
                "_end_status": pl.Series(e.end_status.tolist(), dtype=pl.String),
                "_deleted": gone,
                "_entity": e.entity,
            }
        )

    def _stage(self, number: int, s: Stage) -> tuple[pl.DataFrame, Answers]:
        n = self.noise
        created = np.minimum(s.planned, s.done)
        own = moments.later(created, s.hashes, "deleted", n.deleted_event, 30.0)
        deleted = np.minimum(own, self.enrolments_gone[s.enrolment])
        done = np.where(s.done > deleted, NEVER, s.done)
        edited = moments.later(s.done, s.hashes, "edited", n.edited_event, 14.0)
        silent = np.isin(s.status.astype(str), UNFINISHED)
        edited = np.where((edited > deleted) | (edited > self.setting.horizon) | silent, NEVER, edited)
        rows = np.nonzero(edited != NEVER)[0]
        early = s.sheet.index[rows]
        s.sheet.index[rows] = filling.corrected(s.spec, s.sheet.take(rows), s.hashes[rows], s.occurred[rows]).index
        life = {"_created": created, "_done": done, "_edited": edited, "_deleted": deleted}
        frame = self._event_frame(number, s).with_columns(
            pl.Series("_seq", _sequence(created, salted(s.hashes, "event"))),
            **{n: pl.Series(v) for n, v in life.items()},
        )
        return frame.filter(pl.Series(created < deleted)), Answers(s.sheet, rows, edited[rows], early)

    def _event_frame(self, number: int, s: Stage) -> pl.DataFrame:
        n, e, size = self.noise, self.draft.enrolled, len(s.hashes)
        h = salted(s.hashes, "event")
        located = np.where(uniform(salted(h, "located")) < n.located, s.place, -1)
        users = self._users(s.place, h)
        return pl.DataFrame(
            {
                "uid": uids(salted(h, "uid")),
                "program": pl.repeat(self.spec.uid, size, eager=True),
                "program_stage": pl.repeat(s.spec.uid, size, eager=True),
                "enrollment": self.enrolment_uids.gather(pl.Series(s.enrolment)),
                "tracked_entity": self.entity_uids.gather(pl.Series(e.entity[s.enrolment])),
                "org_unit": self.setting.places.units.gather(pl.Series(s.place)),
                "scheduled_at": _days(s.scheduled),
                "attribute_option_combo": pl.repeat(DEFAULT_COMBO, size, eager=True),
                "follow_up": uniform(salted(h, "follow up")) < 0.004,
                "stored_by": users,
                "longitude": _coordinates(self.setting.places.longitude, located),
                "latitude": _coordinates(self.setting.places.latitude, located),
                "_stage": np.full(size, number),
                "_at": np.arange(size, dtype=np.int64),
                "_status": pl.Series(s.status.tolist(), dtype=pl.String),
                "_occurred": _days(s.occurred),
                "_entity": e.entity[s.enrolment],
            }
        )

    def _users(self, place: Place, hashes: U64) -> pl.Series:
        named = self.setting.places.users.gather(pl.Series(place))
        return named.set(pl.Series(uniform(salted(hashes, "user")) < self.noise.no_user), None)


def _days(days: I64) -> pl.Series:
    return pl.Series(days.astype(np.int32)).cast(pl.Date)


def _coordinates(values: np.ndarray, at: I64) -> pl.Series:  # type: ignore[type-arg]
    return pl.Series(np.where(at >= 0, values[at], np.nan)).fill_nan(None)


def _sequence(created: I64, hashes: U64) -> I64:
    """Database ids in the order of creation; not dense."""
    low = (salted(hashes, "sequence") & np.uint64(2**20 - 1)).astype(np.int64)
    result: I64 = (np.minimum(created, 2**42) << 20) | low
    return result


def _forget(early: I32, hashes: U64, mandatory: list[bool]) -> None:
    """Take one answer that need not be given out of each row: it was filled in later."""
    free = np.array([at for at, must in enumerate(mandatory) if not must])
    early[np.arange(len(early)), free[(hashes % np.uint64(len(free))).astype(np.intp)]] = MISSING
