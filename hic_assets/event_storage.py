"""Dagster's events in PostgreSQL, as dagster-postgres keeps them, written in fewer transactions and over fewer connections.

A run of the whole country announces some two thousand materialisations and checks before its first step, and each of its events
is several statements, each of which opens a connection and commits by itself. Here one event, or one batch of them (Dagster makes
those where ``DAGSTER_EVENT_BATCH_SIZE`` is set), is one transaction over a connection that stays open. Its ids may so be
seen after later ones of another run: what followed events by their ids would miss them, and nothing here does. Belongs here: only how
statements get to the server. Which there are, and how events are read, is dagster-postgres's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import local
from typing import Any

from dagster import EventLogEntry
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection


class EventStorage(PostgresEventLogStorage):
    """Events of runs, one transaction an event or batch. Named in ``dagster.yaml``; its settings are dagster-postgres's."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._held = local()
        self._tables: set[str] = set()
        super().__init__(*arguments, **named)
        # One connection stays open, and more are made while they are needed. It is tried before each use: a run outlives a
        # restart of PostgreSQL.
        self._engine = create_engine(
            self.postgres_url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=20, pool_pre_ping=True
        )

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> EventStorage:
        """As dagster-postgres, but of this class."""
        return cls(
            pg_url_from_config(config_value),
            should_autocreate_tables=config_value.get("should_autocreate_tables", True),
            inst_data=inst_data,
        )

    def store_event(self, event: EventLogEntry) -> None:
        """One event, whole or not at all."""
        with self._together():
            super().store_event(event)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """All of them or none; Dagster then stores them one by one."""
        with self._together():
            super().store_event_batch(events)

    def has_table(self, table_name: str) -> bool:
        """Asked at every event; a table that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def dispose(self) -> None:
        """The connection that stays open too: a code server makes an instance a tick."""
        super().dispose()
        self._engine.dispose()

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        """As Dagster's, without leaving ours open."""
        self._engine.dispose()
        super().optimize_for_webserver(statement_timeout, pool_recycle, max_overflow)

    @contextmanager
    def _together(self) -> Iterator[None]:
        """What this thread asks for in here goes over one connection, in one transaction."""
        if self._connection is not None:
            yield
            return
        with self.index_transaction() as connection:
            self._held.connection = connection
            try:
                yield
            finally:
                self._held.connection = None

    def _connect(self) -> AbstractContextManager[Connection]:
        return super()._connect() if self._connection is None else nullcontext(self._connection)

    @property
    def _connection(self) -> Connection | None:
        return getattr(self._held, "connection", None)
