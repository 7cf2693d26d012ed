"""The facilities as columns: what the vectorised parts of the world calculate with.

Belongs here: turning a list of facilities into arrays. Does not belong here: any rule about reports or values.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import numpy.typing as npt

from hic_assets.sandbox.world import geography
from hic_assets.sandbox.world.facilities import CLASSES, TYPES, Facility

I64 = npt.NDArray[np.int64]
KIGALI = timezone(timedelta(hours=2), "Africa/Kigali")
NEVER = np.int64(2**62)
MEAN_CATCHMENT = 25_800.0


def millis(moment: datetime) -> int:
    """Milliseconds since 1970 UTC of an aware datetime."""
    return int(moment.timestamp() * 1000)


def local_midnight(day: date) -> int:
    """Milliseconds at which this day begins in Kigali."""
    return millis(datetime(day.year, day.month, day.day, tzinfo=KIGALI))


def utc(ms: int) -> datetime:
    """The aware UTC datetime of a millisecond count."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def next_month(month: date) -> date:
    """The first day of the following month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def add_months(month: date, count: int) -> date:
    """The first day of the month ``count`` months later (or earlier)."""
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


@dataclass(frozen=True)
class Roster:
    """One entry a facility in every array; ``weight`` is its size relative to a typical one of its form group."""

    uids: npt.NDArray[np.object_]
    keys: npt.NDArray[np.uint64]
    form: I64
    private: npt.NDArray[np.bool_]
    kigali: npt.NDArray[np.bool_]
    district: npt.NDArray[np.object_]
    weight: npt.NDArray[np.float64]
    catchment: I64
    opened: I64
    closed: I64

    def __len__(self) -> int:
        return len(self.uids)

    def take(self, index: I64) -> Roster:
        """The facilities at these positions."""
        return Roster(**{name: value[index] for name, value in self.__dict__.items()})

    @classmethod
    def of(cls, facilities: list[Facility]) -> Roster:
        """Columns of a list of facilities, in its order."""
        province = {r["code"]: r["province"] for r in geography.districts().to_dicts()}
        return cls(
            uids=np.array([f.uid for f in facilities], dtype=object),
            keys=np.array([f.key for f in facilities], dtype=np.uint64),
            form=np.array([CLASSES.index(f.form) for f in facilities], dtype=np.int64),
            private=np.array([f.ownership == "PRIVATE" for f in facilities], dtype=bool),
            kigali=np.array([province[f.district] == "1" for f in facilities], dtype=bool),
            district=np.array([f.district for f in facilities], dtype=object),
            weight=np.array([_weight(f) for f in facilities]),
            catchment=np.array([f.catchment for f in facilities], dtype=np.int64),
            opened=np.array([local_midnight(f.opening_date) for f in facilities], dtype=np.int64),
            closed=np.array(
                [local_midnight(f.closed_date) if f.closed_date else NEVER for f in facilities], dtype=np.int64
            ),
        )


def fingerprint(columns: Any) -> bytes:
    """A digest of a dataclass of arrays (a roster, reports): the same for the same contents, and for no other."""
    found = hashlib.blake2b(digest_size=16)
    for name, value in vars(columns).items():
        found.update(repr((name, value.shape)).encode())
        found.update(repr(value.tolist()).encode() if value.dtype == object else value.tobytes())
    return found.digest()


def _weight(facility: Facility) -> float:
    size = facility.catchment / MEAN_CATCHMENT if facility.form == "centre" else facility.weight
    return size * TYPES[facility.type][2]


def nominal_weight(form: str) -> float:
    """The summed weight of a form group in the whole country at scale 1."""
    return sum(count * weight for count, group, weight in TYPES.values() if group == form)
