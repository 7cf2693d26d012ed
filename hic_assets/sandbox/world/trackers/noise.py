"""How badly people are written down: every probability of the trackers' disorder, in one place.

Source: domain facts section 4 (traps 1, 2, 6, 11, 12). Shares of records unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Noise:
    """Shares; change one with ``dataclasses.replace``."""

    spelling: float = 0.11
    """A name written with r for l, c for k, y for i, a doubled or dropped letter."""
    capitals: float = 0.04
    spaces: float = 0.01
    """A blank before or after a name."""
    swapped_names: float = 0.03
    """Surname in the field of the given name and the other way round."""
    no_given_name: float = 0.04
    day_month: float = 0.015
    """Day and month of birth exchanged, where that makes a date."""
    first_january: float = 0.07
    """Adults only: the year is known, the day is not."""
    other_year: float = 0.012
    other_day: float = 0.006
    wrong_sex: float = 0.003
    no_nid: float = 0.13
    nid_typo: float = 0.006
    """Two neighbouring digits exchanged."""
    nid_spaced: float = 0.012
    """As printed on the card: ``1 1985 8 0012345 0 67``."""
    reissued: float = 0.05
    """Of persons, not records: a later card is shown at half of the visits."""
    parents_nid: float = 0.02
    """A child with its mother's number as its own."""
    no_upi: float = 0.22
    other_upi: float = 0.04
    """A second UPI of the same person."""
    no_phone: float = 0.25
    duplicate: float = 0.012
    """The same person registered twice in a programme."""
    edited_entity: float = 0.03
    edited_event: float = 0.06
    deleted_event: float = 0.004
    deleted_enrolment: float = 0.002
    deleted_entity: float = 0.0015
    no_user: float = 0.008
    located: float = 0.02
    """Events with coordinates."""


NOISE = Noise()
