"""Switchable faults: which there are, which are on, and which strike a request.

Belongs here: the switches. What each does to a reply is in ``mischief`` (transport and bytes) and ``spoil`` (rows).
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import Any

VALUES, API, TRACKER = "/api/dataValueSets", "/api/", "/api/tracker/"
# name -> (path it strikes by default, what it does)
FAULTS: dict[str, tuple[str, str]] = {
    "unavailable": (API, "503 of the proxy; options retry_after (seconds) and status (e.g. 502)"),
    "rate_limited": (API, "429; option retry_after (seconds)"),
    "slow": (API, "waits before the first byte; options seconds, and trickle (pieces the body is sent in)"),
    "cut_body": (API, "connection closed in the middle of a row; option fraction"),
    "truncated_body": (API, "body ends cleanly in the middle of a row; option fraction"),
    "truncated_json": (API, "200 with JSON that stops; option fraction"),
    "html_login": (API, "200 with the login page"),
    "html_404": (API, "Tomcat's 404 page"),
    "redirect": (API, "302 to another port; option status"),
    "reset": (API, "TCP reset before any byte"),
    "empty_body": (VALUES, "200 with no byte"),
    "timeout_over_rows": (VALUES, "504 when the result has more than option rows; option seconds to hang first"),
    "duplicates": (VALUES, "option rows exact copies"),
    "conflicting_duplicates": (VALUES, "option rows of the same key with another value"),
    "bad_values": (VALUES, "option rows with text in a number"),
    "unknown_facility": (VALUES, "option rows of an organisation unit nobody knows"),
    "unknown_data_element": (VALUES, "option rows of a data element nobody knows"),
    "impossible_period": (VALUES, "option rows of period 202613"),
    "wrong_columns": (VALUES, "CSV header changed; option column and to (None: the column is missing)"),
    "ragged_rows": (VALUES, "option rows CSV rows with a field too many"),
    "invalid_utf8": (VALUES, "bytes that are no UTF-8 in option rows CSV rows"),
    "ou_ignored": (VALUES, "the whole country whatever the organisation unit"),
    "timeout_over": (
        TRACKER,
        "504 when a reply would hold more than option rows; with option matched, when more match",
    ),
    "no_access": (TRACKER, "403 (up to 2.40: 409), the account may not read the programme; option program"),
    "short_pages": (TRACKER, "pages of persons and enrolments lack those the account may not see; option every"),
    "paced": (
        TRACKER,
        "gives option rows_a_second records at most, all requests together, as a server with work to do",
    ),
    "wrong_system_id": ("/api/system/info", "another systemId"),
}


@dataclass
class Fault:
    """One switched-on fault: it strikes matching requests after ``skip``, ``times`` times (None: always)."""

    name: str
    times: int | None = None
    probability: float = 1.0
    path: str = ""
    query: str = ""
    skip: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    hits: int = 0


class Faults:
    """The switches of one server; thread-safe. ``injected`` counts spoiled rows by fault."""

    def __init__(self, seed: int = 1) -> None:
        self._active: dict[str, Fault] = {}
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311
        self.injected: dict[str, int] = {}
        self.hits: dict[str, int] = {}

    def set(
        self,
        name: str,
        *,
        times: int | None = None,
        probability: float = 1.0,
        path: str | None = None,
        query: str = "",
        skip: int = 0,
        **options: Any,
    ) -> None:
        """Switch a fault on. ``path`` and ``query`` are substrings the request must have."""
        if name not in FAULTS:
            raise ValueError(f"no fault {name!r}; there are {', '.join(FAULTS)}")
        where = FAULTS[name][0] if path is None else path
        with self._lock:
            self._active[name] = Fault(name, times, probability, where, query, skip, options)

    def clear(self, *names: str) -> None:
        """Switch these faults off, or all."""
        with self._lock:
            for name in names or tuple(self._active):
                self._active.pop(name, None)

    @property
    def active(self) -> dict[str, Fault]:
        """The faults that are on (a copy)."""
        with self._lock:
            return dict(self._active)

    def strike(self, path: str, query: str) -> dict[str, Fault]:
        """The faults that strike this request; each hit is counted."""
        struck = {}
        with self._lock:
            for name, fault in self._active.items():
                if fault.path not in path or fault.query not in query or fault.times == 0:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if self._random.random() >= fault.probability:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                fault.hits += 1
                self.hits[name] = self.hits.get(name, 0) + 1
                struck[name] = fault
        return struck

    def count(self, name: str, rows: int) -> None:
        """Remember that so many rows were spoiled."""
        with self._lock:
            self.injected[name] = self.injected.get(name, 0) + rows
