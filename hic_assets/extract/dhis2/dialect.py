"""DHIS2 versions, and what differs between them for this client (contract 0, 1.3 and 1.7).

What is done the same way on every version (`format=csv` with an Accept header, keys taken from the root where
a row has none, `lastUpdated` with a window of dates) is no dialect's matter and stands where it is done.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from hic_assets.extract.dhis2.tracker.fields import Kind

log = logging.getLogger(__name__)

OLDEST, NEWEST = 38, 43
_VERSION = re.compile(r"^(?:2\.)?(\d{2})(?=$|[.\-])")


class UnsupportedVersion(ValueError):
    """Older than any version this client reads, or not a DHIS2 version."""


@dataclass(frozen=True)
class Dialect:
    """One minor version (40 for 2.40.x).

    `writes_null_text`: CSV holds the text `null` in `deleted` where it is not set. `hoists_keys`: JSON rows
    leave out what the root says. `empty_body_is_no_rows`: some patches send an empty JSON body for no rows
    (DHIS2-12540). `needs_window`: `lastUpdated` without a period filter is refused (DHIS2-21821).
    `shifts_last_updated`: the `lastUpdated` threshold is moved by the server's UTC offset.

    Of tracker. `has_legacy_tracker`: the old endpoints are still there. `names_next_page`: a reply says whether a
    next page exists; before, only a count of all tells (`totalPages`). `org_unit_mode` and `org_units`: names of
    parameters; a wrong one is ignored silently and gives another population. `event_follow_up`: the member's name.
    `cuts_end_of_enrolment`: `enrolledBefore` loses its last day.
    """

    version: str
    minor: int

    @property
    def writes_null_text(self) -> bool:
        """2.38 to 2.42."""
        return self.minor <= 42

    @property
    def hoists_keys(self) -> bool:
        """From 2.43."""
        return self.minor >= 43

    @property
    def needs_window(self) -> bool:
        """2.43.0 and 2.43.1; later patches cannot be told by the minor version, and a window never harms."""
        return self.minor >= 43

    @property
    def shifts_last_updated(self) -> bool:
        """2.38 to 2.42."""
        return self.minor <= 42

    @property
    def empty_body_is_no_rows(self) -> bool:
        """Before 2.41."""
        return self.minor <= 40

    @property
    def has_legacy_tracker(self) -> bool:
        """To 2.41."""
        return self.minor <= 41

    @property
    def names_next_page(self) -> bool:
        """From 2.42."""
        return self.minor >= 42

    @property
    def org_unit_mode(self) -> str:
        """`orgUnitMode` from 2.41; the old name is ignored from 2.42."""
        return "orgUnitMode" if self.minor >= 41 else "ouMode"

    def org_units(self, kind: Kind) -> str:
        """`orgUnits` from 2.41, but for events, which take one `orgUnit` on every version."""
        return "orgUnits" if self.minor >= 41 and kind is not Kind.EVENTS else "orgUnit"

    @property
    def event_follow_up(self) -> str:
        """`followUp` from 2.41."""
        return "followUp" if self.minor >= 41 else "followup"

    @property
    def cuts_end_of_enrolment(self) -> bool:
        """Seen in 2.40.1; asked one day more of every version before 2.41."""
        return self.minor <= 40


def dialect_of(version: str) -> Dialect:
    """The dialect of `2.40.1-SNAPSHOT`, `2.41.8.1`, `2.43-SNAPSHOT`, `2.42.0`; a newer one gets the newest.

    Raises UnsupportedVersion for 2.37 and older and for what is no version.
    """
    found = _VERSION.match(version.strip())
    if found is None:
        raise UnsupportedVersion(f"{version!r} is no DHIS2 version")
    minor = int(found[1])
    if minor < OLDEST:
        raise UnsupportedVersion(f"DHIS2 {version} is older than 2.{OLDEST}, the oldest this client reads")
    if minor > NEWEST:
        log.warning("DHIS2 %s is newer than 2.%d: read as 2.%d. Compare counts.", version, NEWEST, NEWEST)
    return Dialect(version, min(minor, NEWEST))
