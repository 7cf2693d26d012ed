"""What a raw table is: its columns, keys, allowed values and physical layout, declared once.

Belongs here: the vocabulary in which ``systems/`` declares tables. Does not: any particular table, any SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Layout(StrEnum):
    """How a table is stored, and so how a partition of it is replaced."""

    NATIVE = "native"
    """A PostgreSQL partition a month, swapped whole: for volumes where deleting rows would cost."""
    INDEXED = "indexed"
    """One table with an index on ``_partition``; a partition is deleted and copied in one transaction."""
    SNAPSHOT = "snapshot"
    """No partitions: the whole table is replaced, for registries and other metadata."""


@dataclass(frozen=True)
class Reference:
    """A registry a column must be found in: the ``id`` of a snapshot table.

    Where the rule is ``unknown_data_element``, its ``value_type`` also says which values must be numbers.
    """

    table: str
    rule: str
    """Name of the rule a row breaks when its value is not in the registry, e.g. ``unknown_facility``."""
    column: str = "id"


@dataclass(frozen=True)
class Column:
    """One text column of a raw table.

    Every source column is TEXT as it came (NULL when absent); types are given by staging models.
    """

    name: str
    description: str
    key: bool = False
    required: bool = False
    allowed: frozenset[str] = frozenset()
    reference: Reference | None = None
    json: bool = False
    """The text is JSON, of which PostgreSQL must be able to read every value."""
    sensitive: str | None = None
    """Why people outside the loader role must not read it (``user name``, ``free text``); None when harmless."""

    @property
    def must_be_present(self) -> bool:
        """Whether NULL breaks the contract: keys always, others where declared."""
        return self.key or self.required


@dataclass(frozen=True)
class Table:
    """One raw table: grain is one row a combination of the key columns (and partition).

    ``max_quarantined_share``: above this share of refused rows a load fails and the old partition stays, since
    a feed that is mostly wrong is broken, not dirty.
    ``min_kept_share``: a load that lands less than this share of what the partition held fails too (a lying or
    half-blind server), unless the caller accepts the shrinkage. ``may_empty``: a handful of rows may all be gone at
    the source, as tombstones are that do not stay for ever; elsewhere that is refused, however few they were.
    """

    system: str
    name: str
    description: str
    columns: tuple[Column, ...]
    layout: Layout
    period_column: str | None = None
    updated_column: str | None = None
    """Column with the row's change time, zoned. It is held as the instant it names, ``_source_updated_at``, and not
    as text beside it: of a data value's row that would be a tenth, for nothing. What is no time is quarantined."""
    value_column: str | None = None
    """Column that must hold a number where the data element registry says so."""
    deleted_column: str | None = None
    max_quarantined_share: float = 0.2
    min_kept_share: float = 0.5
    may_empty: bool = False
    sought_by_key: bool = False
    """A record is looked for by its key alone, whatever its partition: the table has an index on it. It costs a landing
    some 40 microseconds a row in a table of a million, so only where the source takes longer to give one."""
    stored_as: str | None = None
    """Name inside schema ``raw`` where it is not the system's name, then the table's."""

    @property
    def relation(self) -> str:
        """Table name inside schema ``raw``: the system's name, then the table's, unless it is stored as another."""
        return self.stored_as or f"{self.system}_{self.name}"

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the columns that identify a row."""
        return tuple(c.name for c in self.columns if c.key)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the source columns, in order."""
        return tuple(c.name for c in self.columns)

    @property
    def stored_names(self) -> tuple[str, ...]:
        """Names of the source columns that the table holds as text."""
        return tuple(name for name in self.column_names if name != self.updated_column)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Registries the table's columns point to."""
        return tuple(c.reference for c in self.columns if c.reference)
