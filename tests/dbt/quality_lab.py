"""The SQL of the data-quality models as dbt compiled it, run on series made up by a test.

Belongs here: the way from series to the rows of a model. Does not belong here: what should be in them (quality_reference).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from dbt_runner import Dbt

from hic_assets.warehouse import Warehouse

FIRST_YEAR = 2020
Key = tuple[str, str]
"""A unit and an indicator."""


def month(number: int) -> date:
    """The first day of a month, counted from January of FIRST_YEAR."""
    return date(FIRST_YEAR + number // 12, number % 12 + 1, 1)


@dataclass
class Lab:
    """A copy of the built country, and the compiled models of `dbt`, which may be of another database."""

    warehouse: Warehouse
    dbt: Dbt

    def sql(self, model: str) -> str:
        """The compiled select of a model, on this database."""
        folder = self.dbt.target / "compiled" / "hic" / "models" / "dwh"
        # A model that is built by batches is compiled once a batch, here the only year of the country.
        (path,) = [*folder.glob(f"{model}.sql"), *folder.glob(f"{model}/{model}_*.sql")]
        return path.read_text().replace(f'"{self.dbt.warehouse.database}".', "")

    def rebuild(self, *models: str, sql: Mapping[str, str] | None = None) -> None:
        """Replace the rows of models of dwh by what they select."""
        with self.warehouse.connect() as connection:
            for model in models:
                text = (sql or {}).get(model) or self.sql(model)
                names = [
                    name
                    for (name,) in connection.execute(
                        "select column_name from information_schema.columns where table_schema = 'dwh' and table_name = %s",
                        [model],
                    )
                ]
                columns = ", ".join(f'"{name}"' for name in names)
                connection.execute(f"delete from dwh.{model}")  # type: ignore[arg-type]
                connection.execute(f"insert into dwh.{model} ({columns}) select {columns} from ({text}) as made")  # type: ignore[arg-type]

    def fill(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Replace the rows of a table."""
        with self.warehouse.connect() as connection:
            connection.execute(f"delete from {table}")  # type: ignore[arg-type]
            with connection.cursor().copy(f"copy {table} ({columns}) from stdin") as copy:  # type: ignore[arg-type]
                for row in rows:
                    copy.write_row(row)

    def report(self, series: Mapping[Key, Iterable[float | None]]) -> None:
        """What the units reported; None is nothing."""
        rows = [
            (month(number), unit, indicator, count)
            for (unit, indicator), counts in series.items()
            for number, count in enumerate(counts)
            if count is not None
        ]
        self.fill("intermediate.int_quality_value", "period_start, org_unit_uid, indicator_id, value", rows)

    def rows(self, columns: str, relation: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Rows of a relation, in the order of their columns."""
        with self.warehouse.connect() as connection:
            return connection.execute(f"select {columns} from {relation} where {where} order by {columns}").fetchall()  # type: ignore[arg-type]
