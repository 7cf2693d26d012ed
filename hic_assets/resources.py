"""What assets are given: the warehouse and the source systems, opened when first used.

Belongs here: the seam between Dagster and the outside world, which tests replace. Nothing is read at import.
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from hic_assets.extract.auth import BasicAuth, SourceAuth, TokenAuth
from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.errors import AuthError
from hic_assets.extract.http import HttpOptions
from hic_assets.extract.rest.client import RestSource
from hic_assets.identity.ddl import create_identity, hold_to_key
from hic_assets.identity.pseudonym import pseudonym_key, session_options
from hic_assets.prepare import prepare
from hic_assets.settings import Settings, SourceSettings, source_settings
from hic_assets.systems.declare import System
from hic_assets.warehouse import Warehouse, open_warehouse
from hic_assets.work_folder import work_folder


class WarehouseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The warehouse of the environment: ``HIC_WAREHOUSE_URL``, or the embedded PostgreSQL."""

    _opened: Warehouse | None = PrivateAttr(default=None)

    def open(self) -> Warehouse:
        """The warehouse, reachable and with its schemas and ledger; opened once a process."""
        if self._opened is None:
            opened = open_warehouse(Settings())
            with opened.connect(autocommit=True) as connection:
                prepare(connection)
            self._opened = opened
        return self._opened

    def pseudonyms(self) -> str:
        """libpq options (PGOPTIONS) of sessions that make pseudonyms; secret.

        Raises PseudonymKeyError where the warehouse's were made with another key.
        """
        return session_options(self.pseudonym_key())

    def pseudonym_key(self) -> bytes:
        """The key that pseudonyms and the keys of persons are made with; secret.

        Raises PseudonymKeyError where the warehouse's were made with another key.
        """
        key = pseudonym_key(Settings())
        with self.open().connect() as connection:
            create_identity(connection)
            hold_to_key(connection, key)
        return key


class SourcesResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The source systems of the environment: ``HIC_<SYSTEM>_URL`` and its credentials."""

    _refused: dict[str, AuthError] = PrivateAttr(default_factory=dict)

    @property
    def refused(self) -> dict[str, AuthError]:
        """Systems that answered 401 in this run. No asset asks them again: a dozen refusals lock the account."""
        return self._refused

    def dhis2(self, system: System, expected_system_id: str | None = None) -> Dhis2Client:
        """A client of a system that is a DHIS2 server; nothing is asked until it is used.

        Raises:
            SettingsError: naming the environment variables that are missing.
        """
        settings = source_settings(system.name)
        return Dhis2Client(
            settings.url,
            _auth(settings),
            spool_dir=self.spool(),
            system=system.name,
            expected_system_id=expected_system_id,
            options=HttpOptions(read_timeout=settings.timeout, max_attempts=settings.attempts),
        )

    def rest(self, system: System) -> RestSource:
        """A session with a system that has a REST API; nothing is asked until it is used.

        Raises:
            SettingsError: naming the environment variables that are missing.
        """
        assert system.api is not None  # noqa: S101 - asked of such systems only
        return RestSource(system.api, source_settings(system.name), self.spool())

    def spool(self) -> Path:
        """The folder below HIC_HOME for what waits on disk while it is landed; this process's own."""
        return work_folder(Settings().home / "spool")

    def kept(self) -> Path:
        """The folder below HIC_HOME where what a killed load had read waits for the next one to go on from."""
        return Settings().home / "kept"

    def concurrency(self, system: System) -> int:
        """Requests under way at once."""
        return source_settings(system.name).concurrency


def _auth(settings: SourceSettings) -> SourceAuth:
    if settings.token is not None:
        return TokenAuth(settings.token.get_secret_value())
    assert settings.username is not None and settings.password is not None  # noqa: S101 - validated by the settings
    return BasicAuth(settings.username, settings.password.get_secret_value())
