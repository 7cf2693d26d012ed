"""A small table, its registry, and batches of it, for the landing tests. Nothing here knows a real system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl

from hic_assets.extract.batches import Batch, SliceStats, frame_of
from hic_assets.landing.ddl import create_ops, create_raw_table
from hic_assets.landing.ledger import Partition
from hic_assets.landing.table import Layout, Table
from hic_assets.systems import HMIS
from hic_assets.warehouse import Warehouse

DATA_VALUES = HMIS.feed("data_values").table
COMPLETE_REGISTRATIONS = HMIS.feed("complete_registrations").table

JANUARY = Partition("2026-01-01", date(2026, 1, 1), date(2026, 2, 1))
FEBRUARY = Partition("2026-02-01", date(2026, 2, 1), date(2026, 3, 1))
PERIODS = {JANUARY: frozenset({"202601"}), FEBRUARY: frozenset({"202602"})}
FACILITY, ELEMENT, TEXT_ELEMENT, COMBO = "facility000", "element0000", "element0txt", "combo000000"


class Given:
    """A source that gives the batches it was made of; an exception among them is raised in its place."""

    def __init__(self, *batches: Batch | Exception, unknown: Sequence[str] = ()) -> None:
        self.name, self.columns = "given", DATA_VALUES.column_names
        self.read_at: datetime | None = None
        self._batches, self.unknown_columns = batches, tuple(unknown)
        self.stats: list[SliceStats] = []
        self.notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Batch]:
        for batch in self._batches:
            if isinstance(batch, Exception):
                raise batch
            self.stats.append(SliceStats(batch.slice, "http://source/api", batch.rows, 100, 0.1, 1))
            yield batch


def value(number: int = 0, **changes: str | None) -> dict[str, str | None]:
    """A good data value of January; ``number`` tells values apart."""
    row: dict[str, str | None] = {
        "data_element": f"element{number % 10:04d}", "period": "202601", "org_unit": f"facility{number // 10:03d}",
        "category_option_combo": COMBO, "attribute_option_combo": COMBO, "value": str(number + 1), "stored_by": "clerk",
        "last_updated": "2026-02-03T08:00:00.000+0000", "comment": None, "follow_up": "false", "deleted": None,
    }  # fmt: skip
    return row | changes


def values(count: int, **changes: str | None) -> list[dict[str, str | None]]:
    return [value(i, **changes) for i in range(count)]


def batch(
    rows: Sequence[dict[str, str | None]], table: Table = DATA_VALUES, rejects: pl.DataFrame | None = None
) -> Batch:
    return Batch(frame_of(rows, table.column_names), "district A", rejects)


def prepare(warehouse: Warehouse) -> None:
    """Create the tables and fill the registries with ten elements, 100 facilities and the default combo."""
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
        for feed in HMIS.feeds:
            create_raw_table(connection, feed.table)
        connection.execute(
            """insert into raw.hmis_data_elements (id, value_type, _load_id)
               select 'element' || lpad(i::text, 4, '0'), 'INTEGER', 0 from generate_series(0, 9) i
               union all select 'element0txt', 'TEXT', 0;
               insert into raw.hmis_organisation_units (id, _load_id)
               select 'facility' || lpad(i::text, 3, '0'), 0 from generate_series(0, 999) i;
               insert into raw.hmis_category_option_combos (id, _load_id) values ('combo000000', 0);
               insert into raw.hmis_data_sets (id, _load_id) values ('dataset0000', 0)"""
        )


def content(warehouse: Warehouse, table: Table = DATA_VALUES) -> list[tuple[Any, ...]]:
    """Rows of a raw table without what differs from load to load."""
    columns = ", ".join((*table.stored_names, "_partition", "_source_updated_at"))
    with warehouse.connect() as connection:
        return connection.execute(
            f"select {columns} from raw.{table.relation} order by 1, 2, 3, 4, 5".encode()
        ).fetchall()


def as_layout(table: Table, layout: Layout) -> Table:
    return Table(**{**{f: getattr(table, f) for f in table.__dataclass_fields__}, "layout": layout})


__all__ = ["COMPLETE_REGISTRATIONS", "DATA_VALUES"]
