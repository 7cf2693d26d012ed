"""The warehouse as the rest of the package sees it: one value that connects and that child processes inherit.

What the server must be is checked by `connect`; how the embedded one is run is in `embedded`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import conninfo, pq

from hic_assets.warehouse.url import connection_error, make_url, parse_url, redact

_KEEPALIVES = ("-c tcp_keepalives_idle=60", "-c tcp_keepalives_interval=10", "-c tcp_keepalives_count=6")


@dataclass(frozen=True)
class Warehouse:
    """One warehouse database. Holds the password: `repr` and `redacted` do not show it, `url` and `env` do.

    `params` are libpq's connection parameters. `notes` are sentences for the operator on how it was opened.
    """

    params: Mapping[str, str] = field(repr=False)
    dagster: str | None = field(default=None, repr=False)
    embedded: bool = False
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Warehouse({self.redacted!r}, embedded={self.embedded})"

    @property
    def url(self) -> str:
        """The URL with the password: for connecting, never for showing."""
        return make_url("postgresql", self.params)

    @property
    def redacted(self) -> str:
        """The URL without the password, to show."""
        return redact(self.params)

    @property
    def database(self) -> str:
        """Name of the database."""
        return self.params.get("dbname", "")

    @property
    def dagster_url(self) -> str:
        """SQLAlchemy URL of Dagster's storage: HIC_DAGSTER_URL, or `dagster` on the same server."""
        if self.dagster is not None:
            return make_url("postgresql+psycopg2", parse_url(self.dagster, "HIC_DAGSTER_URL"))
        return make_url("postgresql+psycopg2", {**self.params, "dbname": "dagster"})

    def connect(
        self,
        autocommit: bool = False,
        *,
        application_name: str = "hic",
        lock_timeout: float | None = None,
        statement_timeout: float | None = None,
        connect_timeout: int = 10,
        **kwargs: Any,
    ) -> psycopg.Connection[Any]:
        """A psycopg 3 connection in time zone UTC; timeouts in seconds (None: the server's own).

        Further arguments go to `psycopg.connect` (row_factory, cursor_factory...).
        Raises WarehouseError when the server cannot be reached.
        """
        # A client whose machine has died must not hold its locks for the hours that systems wait by default.
        options = [self.params.get("options", ""), "-c timezone=UTC", *_KEEPALIVES]
        for name, seconds in (("lock_timeout", lock_timeout), ("statement_timeout", statement_timeout)):
            if seconds is not None:
                options.append(f"-c {name}={round(seconds * 1000)}")
        merged = {
            **self.params,
            "client_encoding": "UTF8",
            "application_name": application_name,
            "connect_timeout": str(connect_timeout),
            "options": " ".join(filter(None, options)),
        }
        try:
            return psycopg.connect(conninfo.make_conninfo("", **merged), autocommit=autocommit, **kwargs)
        except psycopg.OperationalError as error:
            raise connection_error(error, self.params) from None

    def env(self) -> dict[str, str]:
        """Environment variables for child processes (dbt, psql, Dagster): libpq's own, and ours."""
        names = {o.keyword.decode(): o.envvar.decode() for o in pq.Conninfo.get_defaults() if o.envvar}
        libpq = {names[key]: value for key, value in self.params.items() if key in names}
        return {
            "PGPASSWORD": "",
            **libpq,
            "HIC_WAREHOUSE_URL": self.url,
            "HIC_DAGSTER_URL": self.dagster_url,
        }

    def with_database(self, database: str) -> Warehouse:
        """The same server and user, another database."""
        return Warehouse({**self.params, "dbname": database}, self.dagster, self.embedded, self.notes)
