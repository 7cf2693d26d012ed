"""The HMIS's raw tables as Polars frames, read without dbt: the ground of an evaluation that is not the marts' own.

Belongs here: what was reported, where it counts, which reports came. Does not belong here: any indicator.
"""

from __future__ import annotations

from datetime import date, timedelta
from math import ceil
from typing import Any

import polars as pl
from pg_servers import rows

from hic_assets.warehouse import Warehouse

NUMBER = r"^\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,2})?\s*$"
# Roles by depth; others are passed through.
REPORTING = {1: "country", 2: "province", 3: "district", 6: "facility"}
NUMERIC = ("NUMBER", "INTEGER", "PERCENTAGE", "UNIT_INTERVAL")


def month_end(month: date) -> date:
    """The last day of a month."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


class Raw:
    """The registries and months that are landed in a warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.elements = self.table("hmis_data_elements").with_columns(pl.col("code").str.strip_chars())
        self.combo_options = self.table("hmis_category_option_combo_options")
        self.members = self.table("hmis_data_set_elements")
        self.assigned = self.table("hmis_data_set_org_units")
        self.data_sets = self.table("hmis_data_sets")
        self.units = self.table("hmis_organisation_units")
        self.places = self._places()
        self.values = self._values()
        self.yearly = self._yearly()
        self.reports = self._reports()

    def table(self, name: str) -> pl.DataFrame:
        """A raw table, every column as text."""
        names = [
            n
            for (n,) in rows(
                self.warehouse,
                "select column_name from information_schema.columns where table_schema = 'raw' and table_name = %s",
                (name,),
            )
        ]
        selected = ", ".join(f'"{n}"::text' for n in names)
        found = rows(self.warehouse, f"select {selected} from raw.{name}")
        return pl.DataFrame(found, schema=dict.fromkeys(names, pl.String), orient="row")

    def _places(self) -> pl.DataFrame:
        """One row a unit and place it counts in (itself too): unit, place, level."""
        groups = self.table("hmis_organisation_unit_group_members")
        typed = set(groups.filter(pl.col("group_set_name").str.to_lowercase() == "facility type")["org_unit"])
        parents = set(self.units["parent"])
        role: dict[str, str | None] = {}
        for uid, level in self.units.select("id", "level").iter_rows():
            is_facility = level in ("4", "5") and uid in typed and uid not in parents
            role[uid] = "facility" if is_facility else REPORTING.get(int(level))
        made: list[tuple[str, str, str]] = []
        for uid, path in self.units.select("id", "path").iter_rows():
            for place in path.strip("/").split("/"):
                named = role.get(place)
                if named is not None:
                    made.append((uid, place, named))
        return pl.DataFrame(made, schema=["unit", "place", "level"], orient="row")

    def _standing(self, name: str) -> pl.DataFrame:
        frame = self.table(name).filter(pl.col("deleted").is_null() | (pl.col("deleted") != "true"))
        return frame.select(
            pl.col("_partition").str.to_date().alias("month"),
            "period",
            pl.col("data_element").alias("element"),
            pl.col("org_unit").alias("unit"),
            pl.col("category_option_combo").alias("combo"),
            pl.col("attribute_option_combo").alias("attributes"),
            "value",
        )

    def _values(self) -> pl.DataFrame:
        types = self.elements.select(pl.col("id").alias("element"), "value_type")
        frame = self._standing("hmis_data_values").join(types, on="element", how="left")
        is_number = pl.col("value").str.contains(NUMBER)
        text = pl.col("value").str.strip_chars()
        yes_no = text.str.to_lowercase().replace_strict({"true": 1.0, "false": 0.0}, default=None)
        is_numeric = pl.col("value_type").is_null() | pl.any_horizontal(
            pl.col("value_type").str.starts_with(kind) for kind in NUMERIC
        )
        return frame.with_columns(
            pl.when(pl.col("value_type").is_in(["BOOLEAN", "TRUE_ONLY"]))
            .then(yes_no)
            .when(is_numeric & is_number)
            .then(pl.when(is_number).then(text).cast(pl.Float64, strict=False))
            .alias("number")
        )

    def _yearly(self) -> pl.DataFrame:
        frame = self._standing("hmis_yearly_values").filter(pl.col("value").str.contains(NUMBER))
        return frame.with_columns(
            pl.col("period").str.strip_chars().cast(pl.Int32).alias("year"),
            pl.col("value").str.strip_chars().cast(pl.Float64).alias("number"),
        )

    @property
    def months(self) -> list[date]:
        """Months that landed a value of a data set, or a finished report."""
        in_sets = self.values.filter(pl.col("element").is_in(self.members["data_element"].implode()))
        return sorted({*in_sets["month"], *self.reports.filter("received")["month"]})

    def _reports(self) -> pl.DataFrame:
        """One row a monthly report that was expected: month, data_set, unit, received, on_time."""
        marks = self.table("hmis_complete_registrations").filter(
            pl.col("completed").is_null() | (pl.col("completed") != "false")
        )
        first: dict[tuple[date, str, str], date | None] = {}
        for month, data_set, unit, day in marks.select("_partition", "data_set", "org_unit", "date").iter_rows():
            key = (date.fromisoformat(month), data_set, unit)
            said = date.fromisoformat(day[:10]) if day else None
            known = [d for d in (first.get(key), said) if d]
            first[key] = min(known) if known else None
        loaded = {*self.values["month"], *(month for month, _, _ in first)}
        timely = dict(self.data_sets.filter(pl.col("period_type") == "Monthly").select("id", "timely_days").iter_rows())
        open_in = {
            uid: (opened and date.fromisoformat(opened[:10]), closed and date.fromisoformat(closed[:10]))
            for uid, opened, closed in self.units.select("id", "opening_date", "closed_date").iter_rows()
        }
        made: list[dict[str, Any]] = []
        for month in loaded:
            for data_set, unit in self.assigned.select("data_set", "org_unit").unique().iter_rows():
                if data_set not in timely or unit not in open_in:
                    continue
                opened, closed = open_in[unit]
                if (opened and opened > month_end(month)) or (closed and closed < month):
                    continue
                came, day = (month, data_set, unit) in first, first.get((month, data_set, unit))
                last = timely[data_set] and month_end(month) + timedelta(days=ceil(float(timely[data_set])))
                on_time = bool(came and day and last and day <= last)
                made.append({"month": month, "data_set": data_set, "unit": unit, "received": came, "on_time": on_time})
        return pl.DataFrame(
            made,
            schema={
                "month": pl.Date,
                "data_set": pl.String,
                "unit": pl.String,
                "received": pl.Boolean,
                "on_time": pl.Boolean,
            },
        )
