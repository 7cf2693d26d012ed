"""How a clinical system has a patient: the card written at registration, shown again at every visit.

Belongs here: identity columns with the noise of one system. Does not belong here: how the system formats them (its
server). A patient has one card a system and facility, a few have two; before the client registry gave a UPI the card
has a TEMPID. Source: domain facts 2.7, traps 1, 2, 11, 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from hic_assets.sandbox.world.clinical.known import Known
from hic_assets.sandbox.world.clinical.story import Story
from hic_assets.sandbox.world.hashing import U64, mix, salted, uniform
from hic_assets.sandbox.world.trackers import moments
from hic_assets.sandbox.world.trackers.noise import Noise
from hic_assets.sandbox.world.trackers.packing import I64
from hic_assets.sandbox.world.trackers.writing import Writing

UNLINKED = 0.3
"""Cards that are made before anybody looks for the UPI, a quarter of a year on average."""


@dataclass(frozen=True)
class Cards:
    """One entry a visit. ``hashes`` are the cards': the same at every visit with the same card. ``linked`` is the day
    from which a card has the UPI that was given on ``upi_day``.
    """

    hashes: U64
    writing: Writing
    upi_day: I64
    linked: I64
    days: I64

    def upi(self) -> pl.Series:
        """The UPI as text; null before there was one, and on the cards that never got it."""
        found = self.writing.upi(self.upi_day).texts()
        return found.set(pl.Series(self.linked > self.days), None)

    def temp_id(self) -> pl.Series:
        """A temporary identifier ``TMP-`` and ten digits; only before the card has a UPI."""
        return self.writing.numbered("TMP-", 10, "temp id").texts().set(pl.Series(self.linked <= self.days), None)

    def birth_date(self, unknown: float = 0.02, placeholder: float = 0.003) -> pl.Series:
        """Date of birth (``pl.Date``): null for some, 1900-01-01 for a few, else with the noise of ``writing``."""
        found = self.writing.birth_date().texts().str.to_date("%Y-%m-%d")
        u = uniform(salted(self.hashes, "birth unknown"))
        found = found.set(pl.Series(u < placeholder), date(1900, 1, 1))
        return found.set(pl.Series(u > 1 - unknown), None)

    def age_years(self) -> pl.Series:
        """Completed years at the visit, as the patient (or the mother) says."""
        born = self.writing.persons.born
        return pl.Series(np.maximum((self.days - born) / 365.25, 0).astype(np.int64))


def cards(
    story: Story, system: str, known: Known, place: I64, days: I64, visits: U64, noise: Noise, second: float = 0.015
) -> Cards:
    """The cards of these persons (one row a visit) at these facilities on these days.

    ``visits`` are hashes of the visits; a share ``second`` of the persons has two cards at a facility and shows either.
    """
    card = salted(known.persons.key ^ mix(place.astype(np.uint64)), story.seed, "card", system)
    other = (uniform(salted(card, "second")) < second) & (uniform(salted(visits, "which card")) < 0.5)
    card = np.where(other, salted(card, "again"), card)
    start = story.first_day - (salted(card, "registered") % np.uint64(700)).astype(np.int64)
    registered = np.maximum(known.persons.born, start)
    writing = Writing(known.persons, card, registered, story.places, noise)
    waits = np.where(uniform(salted(card, "waits")) < UNLINKED, moments.spread_days(card, "linked after", 90.0), 0)
    return Cards(card, writing, known.upi_day, np.maximum(known.upi_day, registered + waits), days)
