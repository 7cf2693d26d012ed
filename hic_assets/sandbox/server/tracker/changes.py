"""The differences that change single records: one small function each, a record in, the records served instead out.

Belongs here: what is done to a record as a dictionary of the store's columns; None when it cannot be done to this
one. Does not belong here: which records are chosen (see ``differences``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hic_assets.sandbox.world.hashing import uid
from hic_assets.sandbox.world.roster import millis, utc

Row = dict[str, Any]
DAY_MS = 86_400_000
_TEXTS = ("TEXT", "LONG_TEXT")


@dataclass(frozen=True)
class Meanings:
    """What values mean: value types and option codes by data element or attribute; and the server's zone."""

    types: Mapping[str, str]
    options: Mapping[str, tuple[str, ...]]
    zone: ZoneInfo


@dataclass(frozen=True)
class Setting:
    """What a change may look at besides the record: meanings, the units of the frame, the options of the injection."""

    meanings: Meanings
    units: list[str]
    options: Mapping[str, Any]


Rows = list[Row] | None


def _value(row: Row, setting: Setting, change: Callable[[str, str], str | None]) -> Rows:
    """Change the first value that can be changed; ``change`` gets (uid of element or attribute, value)."""
    column, key = ("data_values", "data_element") if "data_values" in row else ("attributes", "attribute")
    only = setting.options.get("element")
    for one in row[column] or []:
        if only is not None and one[key] != only:
            continue
        changed = change(one[key], one["value"])
        if changed is not None and changed != one["value"]:
            one["value"] = changed
            return [row]
    return None


def lost(_row: Row, _setting: Setting) -> Rows:
    """The record is not served."""
    return []


def lost_deletion(row: Row, _setting: Setting) -> Rows:
    """A tombstone is served as alive."""
    return [{**row, "deleted": False}] if row["deleted"] else None


def hour_shift(row: Row, setting: Setting) -> Rows:
    """The day begins an hour early and so lies on the day before."""
    column = "occurred_at" if "scheduled_at" in row else "enrolled_at"
    if row[column] is None:
        return None
    moment = row[column] if isinstance(row[column], datetime) else datetime.combine(row[column], time())
    return [{**row, column: moment - timedelta(hours=setting.options.get("hours", 1))}]


def rounded_value(row: Row, setting: Setting) -> Rows:
    """A number loses its decimals; one without any its last digit."""

    def change(_uid: str, value: str) -> str | None:
        if re.fullmatch(r"\d+\.\d+", value):
            return str(round(float(value)))
        return str(round(int(value), -1)) if re.fullmatch(r"[1-9]\d{1,5}", value) else None

    return _value(row, setting, change)


def _other_code(setting: Setting, own: str, value: str) -> str | None:
    codes = setting.meanings.options.get(own, ())
    return codes[(codes.index(value) + 1) % len(codes)] if value in codes and len(codes) > 1 else None


def swapped_code(row: Row, setting: Setting) -> Rows:
    """An answer is another of its option set."""
    return _value(row, setting, lambda own, value: _other_code(setting, own, value))


def stale_value(row: Row, setting: Setting) -> Rows:
    """A value as it was before, with the change time of before."""

    def change(own: str, value: str) -> str | None:
        return _other_code(setting, own, value) or (str(int(value) + 1) if re.fullmatch(r"\d{1,6}", value) else None)

    changed = _value(row, setting, change)
    return [{**one, "updated_ms": one["updated_ms"] - DAY_MS} for one in changed] if changed else None


def missing_value(row: Row, _setting: Setting) -> Rows:
    """The last value is left out."""
    column = "data_values" if "data_values" in row else "attributes"
    return [{**row, column: row[column][:-1]}] if row[column] else None


def truncated_text(row: Row, setting: Setting) -> Rows:
    """A text stops in the middle."""

    def change(own: str, value: str) -> str | None:
        free = setting.meanings.types.get(own) in _TEXTS and own not in setting.meanings.options
        return value[: len(value) // 2] if free and len(value) >= 4 else None

    return _value(row, setting, change)


def mangled_encoding(row: Row, setting: Setting) -> Rows:
    """UTF-8 read as Latin-1; where a text has nothing but ASCII, an e is taken for an é first."""

    def change(own: str, value: str) -> str | None:
        if setting.meanings.types.get(own) not in _TEXTS or own in setting.meanings.options:
            return None
        accented = value if not value.isascii() else value.replace("e", "é", 1)
        return accented.encode().decode("latin-1")

    return _value(row, setting, change)


def lost_zero(row: Row, setting: Setting) -> Rows:
    """A code or telephone number loses its leading zeros."""
    return _value(row, setting, lambda _, value: value.lstrip("0") if re.fullmatch(r"0+\d+", value) else None)


def swapped_day_month(row: Row, setting: Setting) -> Rows:
    """The day and month of a date change places."""

    def change(own: str, value: str) -> str | None:
        if setting.meanings.types.get(own) not in ("DATE", "AGE"):
            return None
        match = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})(.*)", value)
        if match is None or int(match[3]) > 12:
            return None
        return f"{match[1]}-{match[3]}-{match[2]}{match[4]}"

    return _value(row, setting, change)


def duplicated(row: Row, _setting: Setting) -> Rows:
    """The record twice in one reply."""
    return [row, row]


def ghost(row: Row, _setting: Setting) -> Rows:
    """A record nobody entered, beside the real one."""
    return [row, {**row, "uid": uid("ghost", row["uid"])}]


def wrong_org_unit(row: Row, setting: Setting) -> Rows:
    """The record is of another unit."""
    others = [u for u in setting.units if u != row["org_unit"]]
    if not others:
        return None
    return [{**row, "org_unit": others[row["_seq"] % len(others)]}]


def status_changed(row: Row, _setting: Setting) -> Rows:
    """A completed record is active, any other completed."""
    return [{**row, "status": "ACTIVE" if row["status"] == "COMPLETED" else "COMPLETED"}]


def cut_time(row: Row, setting: Setting) -> Rows:
    """completedAt loses its time."""
    if row["completed_ms"] is None:
        return None
    day: date = utc(row["completed_ms"]).astimezone(setting.meanings.zone).date()
    midnight = millis(datetime.combine(day, time(), setting.meanings.zone))
    return [{**row, "completed_ms": midnight}] if midnight != row["completed_ms"] else None
