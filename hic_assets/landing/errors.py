"""What can go wrong while landing; each error says what, where and what to do.

Belongs here: failures of a load as a whole. Does not: a bad row (quarantine), a bad server (``extract.errors``).
"""

from __future__ import annotations


class LandingError(Exception):
    """A load that did not commit; the partition is as it was before."""


class MetadataMissing(LandingError):
    """A registry that the contract refers to is empty: the metadata snapshots come first."""


class TooManyQuarantined(LandingError):
    """More rows were refused than the table's declaration tolerates."""


class PartitionShrank(LandingError):
    """The source gave far fewer rows than the partition holds."""


class SpillFull(LandingError):
    """The disk that takes what waits while a partition is landed is full."""
