"""Deliberate changes to the country: what a data manager, a late facility or a registry office does.

Belongs here: the mutating half of ``World``. Every change happens at the world's ``now`` and bumps lastUpdated.
"""

from __future__ import annotations

import threading
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl

from hic_assets.sandbox.world import geography, values
from hic_assets.sandbox.world.catalogue import DEFAULT_COMBO, MONTHLY, WEEKLY
from hic_assets.sandbox.world.facilities import Facility
from hic_assets.sandbox.world.hashing import key, keys, salted, uid, uniform
from hic_assets.sandbox.world.overlay import Overlay
from hic_assets.sandbox.world.roster import KIGALI, NEVER, millis


class Mutations:
    """Mixed into ``World``; needs its facilities, overlay, clock and lock."""

    seed: int
    now: datetime
    facilities: list[Facility]
    overlay: Overlay
    metadata_stamps: dict[str, int]
    position: dict[str, int]
    lock: threading.RLock

    @property
    def now_ms(self) -> int:
        """The clock in milliseconds since 1970 UTC."""
        return millis(self.now)

    def refresh(self) -> None:
        """Recompute what is derived from the list of facilities; ``World`` says how."""
        raise NotImplementedError

    def data_values(
        self, month: date, org_units: list[str] | None = None, *, include_deleted: bool = False
    ) -> pl.DataFrame:
        """The values of a month as the server shows them; ``World`` says how."""
        raise NotImplementedError

    def week_values(
        self, monday: date, org_units: list[str] | None = None, *, include_deleted: bool = False
    ) -> pl.DataFrame:
        """The values of a week as the server shows them; ``World`` says how."""
        raise NotImplementedError

    def _pick(self, frame: pl.DataFrame, fraction: float, salt: object) -> pl.DataFrame:
        """A deterministic part of a frame of values; at least one row if it has any."""
        names = ["data_element", "org_unit", "category_option_combo", "period"]
        text = frame.select(pl.concat_str(names)).to_series()
        draw = uniform(salted(keys("pick", text.to_list()), self.seed, salt))
        chosen = draw < fraction if fraction < 1 else np.ones(len(draw), dtype=bool)
        if len(draw) and not chosen.any():
            chosen[int(draw.argmin())] = True
        return frame.filter(pl.Series(chosen))

    def _store(self, month: date, rows: pl.DataFrame) -> pl.DataFrame:
        """Keep changed rows with lastUpdated = now; returns them."""
        stamp = values.timestamps(np.array([self.now_ms]))[0]
        rows = rows.with_columns(
            last_updated=pl.lit(stamp),
            _ts=pl.lit(self.now_ms, dtype=pl.Int64),
            created=pl.col("created").fill_null(stamp),
        )
        with self.lock:
            self.overlay.put(month, rows)
            self.refresh()
        return rows.select(values.COLUMNS)

    def edit_values(self, month: date, fraction: float = 0.01, org_units: list[str] | None = None) -> pl.DataFrame:
        """Add 1 to a part of the numeric values of a month; returns the new rows."""
        rows = self._pick(self._numeric(month, org_units), fraction, "edit")
        return self._store(month, rows.with_columns((pl.col("value").cast(pl.Int64) + 1).cast(pl.String)))

    def delete_values(self, month: date, fraction: float = 0.01, org_units: list[str] | None = None) -> pl.DataFrame:
        """Soft-delete a part of the values of a month: tombstones that keep the old value."""
        rows = self._pick(self.data_values(month, org_units), fraction, "delete")
        return self._store(month, rows.with_columns(deleted=pl.lit("true")))

    def _numeric(self, month: date, org_units: list[str] | None) -> pl.DataFrame:
        return self.data_values(month, org_units).filter(pl.col("value").str.contains(r"^-?\d+$"))

    def set_value(
        self,
        data_element: str,
        period: str,
        org_unit: str,
        value: str,
        category_option_combo: str = DEFAULT_COMBO,
        *,
        deleted: bool = False,
        comment: str | None = None,
        stored_by: str = "admin",
    ) -> pl.DataFrame:
        """Store one value by uids (any uids: unknown ones too); ``period`` is YYYYMM, YYYY or 2026W7."""
        row: dict[str, Any] = dict.fromkeys(values.SCHEMA)
        row |= {"data_element": data_element, "period": period, "org_unit": org_unit, "value": value}
        row |= {"category_option_combo": category_option_combo, "attribute_option_combo": DEFAULT_COMBO}
        row |= {"comment": comment, "stored_by": stored_by, "follow_up": "false"}
        row["deleted"] = "true" if deleted else None
        return self._store(_start_of(period), pl.DataFrame([row], schema=values.SCHEMA))

    def edit_week_values(
        self, monday: date, fraction: float = 0.01, org_units: list[str] | None = None
    ) -> pl.DataFrame:
        """Add 1 to a part of the values of a week; returns the new rows."""
        rows = self._pick(self.week_values(monday, org_units), fraction, "edit")
        return self._store(monday, rows.with_columns((pl.col("value").cast(pl.Int64) + 1).cast(pl.String)))

    def delete_week_values(
        self, monday: date, fraction: float = 0.01, org_units: list[str] | None = None
    ) -> pl.DataFrame:
        """Soft-delete a part of the values of a week: tombstones that keep the old value."""
        rows = self._pick(self.week_values(monday, org_units), fraction, "delete")
        return self._store(monday, rows.with_columns(deleted=pl.lit("true")))

    def set_arrival(self, org_unit: str, data_set: str, month: date, when: datetime | None = None) -> None:
        """A facility's report (data set code) arrives at ``when`` (now if omitted), whatever it did before.

        ``month`` is the first day of the period: of a weekly data set, the Monday. The direct path is left alone.
        """
        known = [*MONTHLY, *WEEKLY]
        if data_set not in known:
            raise ValueError(f"no data set {data_set!r} is reported by month or week; there are {', '.join(known)}")
        moment = when or self.now
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=KIGALI)
        self._arrive(org_unit, data_set, month, millis(moment))

    def withhold(self, org_unit: str, data_set: str, month: date) -> None:
        """A facility never sends this report."""
        self._arrive(org_unit, data_set, month, int(NEVER))

    def _arrive(self, org_unit: str, data_set: str, month: date, moment: int) -> None:
        with self.lock:
            self.overlay.arrivals.setdefault(month, {})[(org_unit, data_set)] = moment
            self.refresh()

    def uncomplete(self, org_unit: str, data_set_uid: str, month: date) -> None:
        """Take a completeness registration back: the row is gone and leaves no trace (contract 1.4)."""
        with self.lock:
            self.overlay.uncompleted.setdefault(month, set()).add((org_unit, data_set_uid))
            self.refresh()

    def rename_facility(self, org_unit: str, name: str) -> None:
        """Give a facility another name."""
        with self.lock:
            self.facilities[self.position[org_unit]].name = name
            self._touch(org_unit)

    def move_facility(self, org_unit: str, sector: str) -> None:
        """Put a facility under another sector (uid), in another district perhaps. Its values do not change."""
        if sector not in geography.by_uid() or geography.by_uid()[sector].level != 5:
            raise ValueError(f"{sector!r} is not a sector")
        with self.lock:
            self.facilities[self.position[org_unit]].sector = sector
            self._touch(org_unit)

    def close_facility(self, org_unit: str, day: date) -> None:
        """Close a facility on a day."""
        with self.lock:
            self.facilities[self.position[org_unit]].closed_date = day
            self._touch(org_unit)

    def add_facility(
        self,
        name: str,
        sector: str,
        kind: str = "HP",
        *,
        code: str | None = None,
        opened: date | None = None,
        listed: bool = True,
    ) -> str:
        """Open a facility; with ``listed=False`` its data is there before the metadata shows it. Returns its uid."""
        unit = geography.by_uid()[sector]
        own = uid(self.seed, "facility", "added", len(self.facilities), name)
        made = Facility(
            uid=own,
            code=code,
            name=name,
            type=kind,
            ownership="PUBLIC",
            district=unit.code[1:4],
            sector=sector,
            opening_date=opened or date(2020, 1, 1),
            catchment=20_000 if kind in ("HC", "MC") else 0,
            listed=listed,
            key=int(key(self.seed, "values", own)),
        )
        with self.lock:
            self.facilities.append(made)
            self._touch(own)
        return own

    def list_facility(self, org_unit: str) -> None:
        """Show a facility added with ``listed=False`` in the metadata."""
        with self.lock:
            self.facilities[self.position[org_unit]].listed = True
            self._touch(org_unit)

    def unlist_facility(self, org_unit: str) -> None:
        """Remove a facility from the metadata while its data stays (a removed object just disappears)."""
        with self.lock:
            self.facilities[self.position[org_unit]].listed = False
            self._touch(org_unit)

    def _touch(self, org_unit: str) -> None:
        self.metadata_stamps[org_unit] = self.now_ms
        self.refresh()


def _start_of(period: str) -> date:
    """The first day of a month, year or ISO week as DHIS2 writes it."""
    year, mark, week = period.partition("W")
    if mark:
        return date.fromisocalendar(int(year), int(week), 1)
    return date(int(period[:4]), int(period[4:6] or 1), 1)
