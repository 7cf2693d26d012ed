"""What differs between DHIS2 versions, as far as the endpoints served here show it.

Source: contract 0, 1.2, 1.3, 1.9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

VERSIONS = ("2.38.7", "2.39.10", "2.40.12", "2.41.9.1", "2.42.5.2", "2.43.1")


@dataclass(frozen=True)
class Dialect:
    """A version, and the questions the endpoints ask about it."""

    version: str

    @property
    def parts(self) -> tuple[int, ...]:
        """The numeric parts of the version, e.g. (2, 41, 9, 1)."""
        return tuple(int(n) for n in re.findall(r"\d+", self.version))

    @property
    def minor(self) -> int:
        """The minor version, e.g. 41."""
        return self.parts[1]

    @property
    def hoists(self) -> bool:
        """Key fields move from the rows of dataValueSets JSON to its root (>= 2.43)."""
        return self.minor >= 43

    @property
    def heeds_accept(self) -> bool:
        """The Accept header of dataValueSets counts (<= 2.42)."""
        return self.minor <= 42

    @property
    def orders_values(self) -> bool:
        """dataValueSets come in an order (>= 2.43)."""
        return self.minor >= 43

    @property
    def shifts_last_updated(self) -> bool:
        """The lastUpdated threshold is moved by the server's UTC offset (<= 2.42)."""
        return self.minor <= 42

    @property
    def last_updated_needs_period(self) -> bool:
        """lastUpdated without a period filter is refused with E2002 (2.43.0 and 2.43.1)."""
        return self.minor == 43 and self.parts[2:3] in ((), (0,), (1,))

    @property
    def login_path(self) -> str:
        """Where a request without credentials is sent."""
        return "/dhis-web-login/" if self.minor >= 42 else "/dhis-web-commons/security/login.action"

    @property
    def not_empty_filter(self) -> bool:
        """Whether ``filter=x:!empty`` is known (not on 2.41 and before)."""
        return self.minor >= 42
