"""What a comparison finds: the classes of difference, and the result of one table's partition. No SQL here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from hic_assets.extract.dhis2.tracker.fields import Kind


class Difference(StrEnum):
    """Classes of difference; the value is the column of ``ops.parity`` and the words people see."""

    MISSING_IN_UNIFIED = "missing_in_unified"
    MISSING_IN_LEGACY = "missing_in_legacy"
    VALUE_DIFFERS = "value_differs"
    DELETED_IN_UNIFIED = "deleted_in_unified"
    """A tombstone in unified only; legacy has it alive, or has nothing where it should have a tombstone too."""
    DELETED_IN_LEGACY = "deleted_in_legacy"
    OTHER_PARTITION = "other_partition"
    """On the other side the same record is of another day, in another partition."""
    DUPLICATED = "duplicated"
    """Rows that one side was served more often than the other. Landing kept one of each."""
    LATE = "late"
    """Changed at the source after the other side was read, by the server's clock: no fault of either."""


COUNTED: tuple[Difference, ...] = tuple(d for d in Difference if d is not Difference.LATE)
"""The classes that count against a clean partition."""


@dataclass(frozen=True)
class ParityResult:
    """One comparison of one table of a programme in one partition.

    ``matched``: records equal on both sides. ``counts``: records by class. ``by_field``: records of ``value_differs``
    by field. ``rules``: records that are equal only by a declared rule, by its name. ``patterns``: what the
    differences have in common, in sentences without a value; None where nothing was recognised.
    """

    programme: str
    kind: Kind
    partition: date
    parity_id: int
    legacy_load_id: int
    unified_load_id: int
    legacy_rows: int
    unified_rows: int
    matched: int
    counts: Mapping[Difference, int]
    by_field: Mapping[str, int]
    rules: Mapping[str, int]
    patterns: str | None
    seconds: float

    @property
    def differences(self) -> int:
        """Records that differ, the late ones left out."""
        return sum(self.counts[d] for d in COUNTED)

    def within(self, tolerance: float) -> bool:
        """Whether the share of differing records is at most ``tolerance`` (a share of the larger side's rows)."""
        return self.differences <= tolerance * max(self.legacy_rows, self.unified_rows)

    @property
    def words(self) -> str:
        """The counts that are not zero, e.g. ``value_differs 3 (status 3), late 2 (not counted)``."""
        return counted_words(self.counts, self.by_field)


@dataclass(frozen=True)
class NotCompared:
    """A partition of which one side is not loaded, so that there is nothing to compare."""

    programme: str
    kind: Kind
    partition: date
    reason: str


def counted_words(counts: Mapping[Difference, int], by_field: Mapping[str, int]) -> str:
    """Counts by class in words, with the fields that differ most; the late ones marked as not counted."""
    said = {d: f"{d} {counts[d]:,}" for d in Difference if counts.get(d)}
    if Difference.VALUE_DIFFERS in said and by_field:
        most = sorted(by_field.items(), key=lambda item: (-item[1], item[0]))
        fields = ", ".join(f"{name} {count:,}" for name, count in most[:3]) + (", ..." if len(most) > 3 else "")
        said[Difference.VALUE_DIFFERS] += f" ({fields})"
    if Difference.LATE in said:
        said[Difference.LATE] += " (not counted)"
    return ", ".join(said.values()) or "no difference"
