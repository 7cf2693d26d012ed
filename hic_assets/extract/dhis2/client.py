"""A DHIS2 server: who it is, which dialect it speaks, and one HTTP session with it.

What is read from it stands in `metadata.py`, `data_values.py`, `completeness.py`, `changes.py`, `tracker/` and
`legacy_tracker/`.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from hic_assets.extract.auth import SourceAuth
from hic_assets.extract.dhis2.dialect import Dialect, UnsupportedVersion, dialect_of
from hic_assets.extract.dhis2.envelopes import SystemInfo
from hic_assets.extract.dhis2.slices import OrgUnit
from hic_assets.extract.dhis2.timestamps import known_zone, parse_utc
from hic_assets.extract.errors import SystemChanged, UnexpectedContent, UnsupportedSystem
from hic_assets.extract.http import HttpOptions, HttpSource

log = logging.getLogger(__name__)

ISO_CALENDARS = frozenset({"iso8601", "gregorian"})


class Dhis2Client:
    """One DHIS2 server. Nothing is asked until `info` or a reader is used.

    `base_url` is the address without `/api`. `expected_system_id`: what an earlier load saw; another one at
    this address raises SystemChanged. `spool_dir` must exist and takes the bodies while they are read.
    """

    def __init__(
        self,
        base_url: str,
        auth: SourceAuth,
        *,
        spool_dir: Path,
        system: str = "hmis",
        expected_system_id: str | None = None,
        options: HttpOptions | None = None,
    ) -> None:
        address = base_url.rstrip("/").removesuffix("/api")
        self.http = HttpSource(system, address, auth, spool_dir, options)
        self.system = system
        self.units: dict[int, list[OrgUnit]] = {}
        self._expected_system_id = expected_system_id
        self._info: SystemInfo | None = None
        self._dialect: Dialect | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Dhis2Client({self.system!r}, {self.http.base_url!r})"

    def __enter__(self) -> Dhis2Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self.http.close()

    @property
    def info(self) -> SystemInfo:
        """System info, asked for once.

        Raises SourceError; SystemChanged; UnsupportedSystem for its version, or for its calendar (period ids
        of another one would be taken for months they are not).
        """
        self._identify()
        assert self._info is not None  # noqa: S101  (set by _identify)
        return self._info

    @property
    def dialect(self) -> Dialect:
        """By the server's version; the first use asks the server, as `info` does."""
        self._identify()
        assert self._dialect is not None  # noqa: S101  (set by _identify)
        return self._dialect

    @property
    def time_zone(self) -> str:
        """The zone of timestamps without offset; UTC, with a warning, where the server names none we know."""
        zone = known_zone(self.info.server_time_zone_id)
        if zone is None:
            log.warning("%s names no known time zone (%s): UTC", self.system, self.info.server_time_zone_id)
        return zone or "UTC"

    def server_time(self) -> datetime:
        """What the server's clock says now, in UTC: asked anew each time. Our own clock may go otherwise.

        Raises SourceError; UnexpectedContent where the server does not tell.
        """
        zone, info = self.time_zone, self._read_info()
        self._accept(info)
        moment = parse_utc(info.server_date or "", zone)
        if moment is None:
            raise UnexpectedContent(self.system, self._info_url, "system info tells no readable serverDate")
        return moment

    def _identify(self) -> None:
        with self._lock:
            if self._info is None:
                info = self._read_info()
                self._dialect = self._accept(info)
                self._info = info
                log.info("%s is DHIS2 %s, system %s", self.system, info.version, info.system_id)

    def _read_info(self) -> SystemInfo:
        body = self.http.get_json("api/system/info")
        try:
            return SystemInfo.model_validate(body)
        except ValidationError as exc:
            faults = ", ".join(str(error["loc"][0]) for error in exc.errors() if error["loc"])
        raise UnexpectedContent(self.system, self._info_url, f"this is no DHIS2 system info (wrong: {faults})")

    @property
    def _info_url(self) -> str:
        return self.http.url("api/system/info")

    def _accept(self, info: SystemInfo) -> Dialect:
        expected = self._expected_system_id
        if expected and info.system_id != expected:
            what = f"the system id is {info.system_id}, it was {expected}"
            raise SystemChanged(self.system, self._info_url, what)
        if info.calendar.lower() not in ISO_CALENDARS:
            what = f"the server counts in the {info.calendar} calendar; only {', '.join(ISO_CALENDARS)} is read"
            raise UnsupportedSystem(self.system, self._info_url, what, advice="Convert its periods first.")
        fault = ""
        try:
            return dialect_of(info.version)
        except UnsupportedVersion as exc:
            fault = str(exc)
        raise UnsupportedSystem(self.system, self._info_url, fault, advice="Upgrade the server.")
