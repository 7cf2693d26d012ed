"""Whom EBUZIMA has, where and when: pregnancies registered, antenatal contacts, deliveries, newborns, postnatal ones.

Belongs here: which true events meet a facility with the system, and what becomes of a registration. Does not belong
here: what a record says (``ebuzima``), what happened (``pregnancies``, the births of ``Life``).

A delivery here is the birth that CRVS, the birth registration and the immunization tracker have: same person, day,
facility. Of a woman who gives birth where the system is not used only her antenatal contacts are known.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from hic_assets.sandbox.world.clinical.entries import at_hour
from hic_assets.sandbox.world.clinical.pregnancies import TERM, Pregnancies, contacts, pregnancies
from hic_assets.sandbox.world.clinical.rollout import begins, used
from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.hashing import U64, mix, salted, uniform
from hic_assets.sandbox.world.roster import NEVER
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.life import NOT_YET, Rows
from hic_assets.sandbox.world.trackers.moments import spread_days
from hic_assets.sandbox.world.trackers.packing import I64, Bools
from hic_assets.sandbox.world.trackers.places import Place

NAME = "ebuzima"
DISTRICTS = 0.6
"""Share of the districts whose health centres and hospitals have the system."""
STATUSES = ("ONGOING", "DELIVERED", "LOST", "TRANSFERRED_OUT", "LOST_TO_FOLLOW_UP", "MOTHER_DIED")
ONGOING, DELIVERED, LOST, TRANSFERRED, LOST_SIGHT, DIED = range(len(STATUSES))
MERGED = 0.6
"""Of pregnancies registered twice at a facility: noticed, and the second registration voided."""
LINKED, LINKED_ELSEWHERE = 0.97, 0.75
"""Deliveries that name the pregnancy: registered at the same facility, or at another one."""
# postnatal contacts: from and to which day after birth, and how many mothers come
POSTNATAL = ((0, 0, 0.82), (2, 3, 0.42), (7, 14, 0.35), (38, 49, 0.3))
NONE = -1


@dataclass(frozen=True)
class Registrations(Rows):
    """One row a pregnancy registered at a facility, in the order of pregnancies and time; ``pregnancy`` is a row."""

    pregnancy: I64
    hashes: U64
    place: Place
    day: I64
    again: Bools
    """A second registration of the same pregnancy at the same facility, by mistake."""
    status: I64
    """Position in STATUSES of what becomes of it."""
    status_day: I64
    heard: I64
    """The day on which the facility hears of it."""
    merged: I64
    """The day on which a second registration is found out, NOT_YET if never."""


@dataclass(frozen=True)
class Antenatal(Rows):
    """One row a contact at a facility; ``registration`` is a row, ``first`` the one it belongs to once merged."""

    registration: I64
    first: I64
    hashes: U64
    day: I64
    number: I64


@dataclass(frozen=True)
class Deliveries(Rows):
    """One row a delivery at a facility; ``registration`` is a row or NONE, ``birth`` that of the first child."""

    pregnancy: I64
    birth: I64
    hashes: U64
    place: Place
    day: I64
    registration: I64


@dataclass(frozen=True)
class Newborns(Rows):
    """One row a child; ``delivery`` and ``birth`` are rows, ``order`` is 2 for a second twin."""

    delivery: I64
    birth: I64
    hashes: U64
    day: I64
    order: I64


@dataclass(frozen=True)
class Postnatal(Rows):
    """One row a contact after birth; ``delivery`` is a row or NONE, ``number`` the position in POSTNATAL plus 1."""

    pregnancy: I64
    delivery: I64
    hashes: U64
    place: Place
    happened: I64
    day: I64
    number: I64


@dataclass(frozen=True)
class Maternity:
    """Everything EBUZIMA has of a story."""

    registrations: Registrations
    antenatal: Antenatal
    deliveries: Deliveries
    newborns: Newborns
    postnatal: Postnatal


def maternity(story: Story) -> Maternity:
    """Worked out once for a story."""
    return story.once("maternity", lambda: _maternity(story))


def _maternity(story: Story) -> Maternity:
    start = begins(story, NAME, DISTRICTS, ("hospital", "centre"))
    registrations, antenatal = _antenatal(story, start)
    deliveries = _deliveries(story, start, registrations)
    registrations = _ended(pregnancies(story), registrations, deliveries)
    newborns = _newborns(story, deliveries)
    return Maternity(registrations, antenatal, deliveries, newborns, _postnatal(story, start, deliveries))


# ---- before birth


def _antenatal(story: Story, start: I64) -> tuple[Registrations, Antenatal]:
    """The contacts at facilities with the system, and the registrations that the first of them make."""
    p, c = pregnancies(story), contacts(story)
    place = p.home_on(c.pregnancy, c.day)
    here = np.nonzero(used(story, start, place, c.day))[0]
    c, place = c.take(here), place[here]
    # contacts of a pregnancy are in the order of time, so a new place or pregnancy opens a registration
    opens = np.concatenate([[True], (np.diff(c.pregnancy) != 0) | (np.diff(place) != 0)])[: len(place)]
    group = np.cumsum(opens) - 1
    nth = np.arange(len(place)) - np.nonzero(opens)[0][group]
    of_group = salted(p.hashes[c.pregnancy] ^ mix(place.astype(np.uint64)), "registration")
    twice = (uniform(salted(of_group, "twice")) < story.noise.duplicate) & (nth >= 1)
    again = twice & (nth == 1)
    makes = opens | again
    own = np.cumsum(makes) - 1
    first = own[np.nonzero(opens)[0]][group]
    hashes = np.where(again, salted(of_group, "again"), of_group)[makes]
    blank = np.zeros(int(makes.sum()), dtype=np.int64)
    registrations = Registrations(
        c.pregnancy[makes], hashes, place[makes], c.day[makes], again[makes], blank, blank, blank, blank
    )
    return registrations, Antenatal(own, first, c.hashes, c.day, c.number)


def _ended(p: Pregnancies, r: Registrations, d: Deliveries) -> Registrations:
    """The registrations with what becomes of them."""
    h, of = r.hashes, p.take(r.pregnancy)
    u, wait = uniform(salted(h, "heard")), spread_days(h, "heard after", 15.0)
    given_up = np.maximum(of.lmp + TERM, r.day) + 42 + (60 * uniform(salted(h, "given up"))).astype(np.int64)
    status, day, heard = np.full(len(h), LOST_SIGHT), given_up, given_up
    told = np.zeros(len(h), dtype=bool)
    told[d.registration[d.registration != NONE]] = True
    moved = (of.moved > r.day) & (of.moved < of.ended) & (r.place != of.place)
    dies = of.died - of.ended <= 42
    for rows, what, when, after in (
        ((of.birth != NONE) & (u < 0.7), DELIVERED, of.ended, 1 + wait),
        (told, DELIVERED, of.ended, 0 * wait),
        ((of.birth == NONE) & (u < 0.75), LOST, of.ended, wait),
        (dies & (u < 0.8), DIED, of.died, wait),
        (moved & (u >= 0.6), LOST_SIGHT, given_up, 0 * wait),
        (moved & (u < 0.6), TRANSFERRED, of.moved, wait),
        (r.again, LOST_SIGHT, given_up, 0 * wait),
    ):
        status, day = np.where(rows, what, status), np.where(rows, when, day)
        heard = np.where(rows, when + after, heard)
    found = r.again & (uniform(salted(h, "merged")) < MERGED)
    merged = np.where(found, r.day + 3 + spread_days(h, "merged after", 25.0), NOT_YET)
    parts = {f.name: getattr(r, f.name) for f in fields(r)}
    ends = {"status": status, "status_day": day, "heard": np.maximum(heard, r.day), "merged": merged}
    return Registrations(**parts | ends)


# ---- birth and after


def registered(r: Registrations) -> I64:
    """The moment (ms UTC) of registrations."""
    return at_hour(r.day, r.hashes, "hour")


def mergers(r: Registrations) -> I64:
    """When (ms UTC) a second registration was found out and voided; NEVER where it was not, or is none."""
    known = r.merged < NOT_YET
    made: I64 = np.where(known, moments.typed_in(np.where(known, r.merged, 0), salted(r.hashes, "merged")), NEVER)
    return made


def delivered(days: I64, hashes: U64) -> I64:
    """The moment (ms UTC) of deliveries of these days; ``hashes`` are the deliveries'."""
    return at_hour(days, hashes, "hour", 0, 24)


def _deliveries(story: Story, start: I64, r: Registrations) -> Deliveries:
    p, born = pregnancies(story), story.life.births
    rows = np.nonzero(p.birth != NONE)[0]
    birth = p.birth[rows]
    here = ~born.at_home[birth] & used(story, start, born.place[birth], p.ended[rows])
    rows, birth = rows[here], birth[here]
    place, h = born.place[birth], salted(p.hashes[rows], "delivery")
    last = np.full(len(p.hashes), NONE)
    kept = np.nonzero(~r.again)[0]
    last[r.pregnancy[kept]] = kept
    known = last[rows]
    share = np.where(r.place[known] == place, LINKED, LINKED_ELSEWHERE) if len(kept) else np.zeros(len(rows))
    known = np.where(uniform(salted(h, "linked")) < share, known, NONE)
    return Deliveries(rows, birth, h, place, p.ended[rows], known)


def _newborns(story: Story, d: Deliveries) -> Newborns:
    born = story.life.births
    twins = born.twin[d.birth].astype(np.int64)
    delivery = np.repeat(np.arange(len(d.birth)), 1 + twins)
    order = np.concatenate([[1], 1 + (np.diff(delivery) == 0)])[: len(delivery)].astype(np.int64)
    birth = d.birth[delivery] + order - 1
    return Newborns(delivery, birth, salted(born.hashes[birth], "newborn"), d.day[delivery], order)


def _postnatal(story: Story, start: I64, d: Deliveries) -> Postnatal:
    p, born = pregnancies(story), story.life.births
    rows = np.nonzero(p.birth != NONE)[0]
    delivery = np.full(len(p.hashes), NONE)
    delivery[d.pregnancy] = np.arange(len(d.pregnancy))
    parts = []
    for turn, (low, high, share) in enumerate(POSTNATAL):
        h = salted(p.hashes[rows], "postnatal", turn)
        day = p.ended[rows] + low + np.floor(uniform(salted(h, "day")) * (high - low + 1)).astype(np.int64)
        happened = at_hour(day, h, "hour")
        if turn == 0:
            after = np.floor((2 + 18 * uniform(salted(h, "hours after"))) * 3600).astype(np.int64) * 1000
            happened = delivered(p.ended[rows], salted(p.hashes[rows], "delivery")) + after
            day = (happened + moments.KIGALI_MS) // moments.DAY_MS
        birth = p.birth[rows]
        place = np.where((turn == 0) & ~born.at_home[birth], born.place[birth], p.place[rows])
        comes = uniform(salted(h, "comes")) < np.where((turn == 0) & born.at_home[birth], 0.25, share)
        here = comes & (p.died[rows] > day) & used(story, start, place, day)
        of = rows[here]
        number = np.full(len(of), turn + 1)
        parts.append(Postnatal(of, delivery[of], h[here], place[here], happened[here], day[here], number))
    return Postnatal(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Postnatal)})
