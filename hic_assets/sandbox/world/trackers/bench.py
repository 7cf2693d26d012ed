"""A tracker of any size for benchmarks: one programme whose events all lie in a few weeks.

Belongs here: bulk without a story. Does not belong here: anything a test of the pipelines relies on.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from hic_assets.sandbox.world.hashing import key, mix, salted, uniform
from hic_assets.sandbox.world.trackers import moments, people
from hic_assets.sandbox.world.trackers.binding import bind
from hic_assets.sandbox.world.trackers.book import Book
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec, instance
from hic_assets.sandbox.world.trackers.draft import Draft, Setting
from hic_assets.sandbox.world.trackers.noise import NOISE
from hic_assets.sandbox.world.trackers.places import places
from hic_assets.sandbox.world.trackers.programmes import hiv
from hic_assets.sandbox.world.trackers.store import TrackerStore

if TYPE_CHECKING:
    from hic_assets.sandbox.world.country import World

EACH = 4
"""Events a patient."""
LAST_DAY = moments.day_number(date(2036, 1, 1))
_NOISE = replace(NOISE, duplicate=0.0, deleted_entity=0.0, deleted_enrolment=0.0)


def synthetic_store(world: World, events: int, *, start: date | None = None, weeks: int = 1) -> TrackerStore:
    """``world.tracker("hiv_tracker")`` from now on: ``events`` visits (a few of them tombstones) of a quarter as many
    patients, all within ``weeks`` from ``start`` (default: the first Monday of the trackers).
    """
    begin = start or world.trackers.start
    found = instance("hiv_tracker")
    first = moments.day_number(begin)
    setting = Setting(world.seed, places(world.facilities, begin.isoformat()), _NOISE, first, LAST_DAY)

    def write(spec: ProgrammeSpec, now: int) -> tuple[Book, Setting]:
        return _book(setting, spec, events, 7 * weeks), setting

    store = TrackerStore(world, found, write)
    world.trackers.install(store)
    return store


def _book(setting: Setting, spec: ProgrammeSpec, events: int, days: int) -> Book:
    many = max(1, -(-events // EACH))
    h = mix(key(setting.seed, "synthetic") ^ np.arange(many, dtype=np.uint64))
    day = setting.first_day + (salted(h, "day") % np.uint64(days)).astype(np.int64)
    born = day - 6_000 - (h % np.uint64(20_000)).astype(np.int64)
    persons = people.adults(h, uniform(salted(h, "sex")) < 0.6, born, setting.places.homes(h))
    draft = Draft(setting, spec, persons, day, persons.home)
    draft.attributes = hiv.attributes(draft)
    draft.enrol(incident=draft.days)
    rows = np.arange(events) // EACH
    own = draft.event_hashes(rows, "visit", np.arange(events) % EACH)
    occurred = setting.first_day + (salted(own, "day") % np.uint64(days)).astype(np.int64)
    draft.events("visit", rows, own, occurred, hiv.visit_answers(draft.spec, persons, h, rows, own, occurred, 90))
    return bind(draft)
