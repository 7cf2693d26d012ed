"""What an indicator expression reads: the operands and their stable text keys.

Belongs here: one operand, its key, reading a key back. Does not belong here: how values are found in the
warehouse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["data_element", "reporting", "constant", "org_unit_group", "days"]

UID = re.compile(r"[A-Za-z][A-Za-z0-9]{10}")
REPORTING_METRICS = (
    "REPORTING_RATE",
    "REPORTING_RATE_ON_TIME",
    "ACTUAL_REPORTS",
    "ACTUAL_REPORTS_ON_TIME",
    "EXPECTED_REPORTS",
)
_PREFIX: dict[Kind, str] = {
    "data_element": "de",
    "reporting": "ds",
    "constant": "c",
    "org_unit_group": "oug",
    "days": "days",
}
_KIND = {prefix: kind for kind, prefix in _PREFIX.items()}


@dataclass(frozen=True)
class Operand:
    """One thing an expression reads for an org unit and a period.

    `ids` by kind: data_element (data element[, category option combo or "*"[, attribute option combo]]);
    reporting (data set, metric); constant (uid); org_unit_group (uid); days ().
    A data element alone is its total over all combos; `#{de.*}` is the same operand
    (DHIS2 DimItemDataElementAndOperand.isDataElementOperandSyntax).
    """

    kind: Kind
    ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _valid(self.kind, self.ids):
            raise ValueError(f"not a {self.kind} operand: {self.ids!r}")

    @property
    def key(self) -> str:
        """The key: `de:UID[.COC[.AOC]]`, `de:UID.*.AOC`, `ds:UID.REPORTING_RATE`, `oug:UID`, `days`."""
        prefix = _PREFIX[self.kind]
        return prefix if self.kind == "days" else f"{prefix}:{'.'.join(self.ids)}"

    @property
    def source(self) -> str:
        """The item as DHIS2 writes it, e.g. `#{UID.COC}`, `R{UID.EXPECTED_REPORTS}`, `[days]`."""
        if self.kind == "days":
            return "[days]"
        sign = {"data_element": "#", "reporting": "R", "constant": "C", "org_unit_group": "OUG"}[self.kind]
        return f"{sign}{{{'.'.join(self.ids)}}}"


def parse_key(key: str) -> Operand:
    """The operand of a key; ValueError when the text is no key."""
    prefix, _, rest = key.partition(":")
    if prefix not in _KIND:
        raise ValueError(f"not an operand key: {key!r}")
    return Operand(_KIND[prefix], tuple(rest.split(".")) if rest else ())


def _valid(kind: Kind, ids: tuple[str, ...]) -> bool:
    uids = [bool(UID.fullmatch(i)) for i in ids]
    match kind:
        case "days":
            return not ids
        case "constant" | "org_unit_group":
            return uids == [True]
        case "reporting":
            return len(ids) == 2 and uids[0] and ids[1] in REPORTING_METRICS
        case "data_element":
            return uids in ([True], [True, True], [True, True, True]) or (uids == [True, False, True] and ids[1] == "*")
