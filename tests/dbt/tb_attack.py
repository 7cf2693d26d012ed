"""TB cases for an attack on their cohort: which there may be, and their rows.

Belongs here: the rows. Does not: what is told of them (``test_marts_disclosure``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attack import REPORTING, Classes
from hypothesis import strategies as st
from marts_attack import Connection, Periods

TYPES, BASES, SITES = ("NEW", "RELAPSE", "OTHER"), ("BC", "CD"), ("P", "EP")
STATUSES, OUTCOMES = ("POS", "NEG", "UNK"), ("CURED", "COMPLETED", "FAILED", "DIED", "LTFU", "none")
COLUMNS: dict[str, Classes] = {
    "notified": TYPES,
    "new_cases": ("NEW",),
    "relapses": ("RELAPSE",),
    "previously_treated": ("OTHER",),
    "bacteriologically_confirmed": ("BC",),
    "extrapulmonary": ("EP",),
    "hiv_known": ("POS", "NEG"),
    "hiv_positive": ("POS",),
    "resistant": ("RR",),
    "cohort": OUTCOMES,
    "cured": ("CURED",),
    "completed": ("COMPLETED",),
    "success": ("CURED", "COMPLETED"),
    "failed": ("FAILED",),
    "died": ("DIED",),
    "lost": ("LTFU",),
    "not_evaluated": ("none",),
}
TARGETS: list[Classes] = [*COLUMNS.values(), ("CD",), ("P",), ("NEG",), ("UNK",)]
# Everybody is of one type, basis, site and HIV status, and resistant or of one outcome.
ALIKE = [(TYPES, other) for other in (BASES, SITES, STATUSES, ("RR", *OUTCOMES))]
APRIL, MAY, AUGUST = DAYS = ("2023-04-01", "2023-05-01", "2023-08-01")
PERIODS: Periods = {
    "2023Q2": (APRIL, MAY),
    "2023Q3": (AUGUST,),
    "2023": DAYS,
    "fy_2022_23": (APRIL, MAY),
    "fy_2023_24": (AUGUST,),
}

# (type, basis, site, HIV status, outcome) -> how many
Cases = dict[tuple[str, ...], int]
MANY = ("NEW", "BC", "P", "NEG", "CURED")
UNCONFIRMED, FAILED = ("NEW", "CD", "P", "NEG", "CURED"), ("NEW", "BC", "P", "NEG", "FAILED")
OTHERS = [
    UNCONFIRMED,
    FAILED,
    ("NEW", "CD", "EP", "POS", "COMPLETED"),
    ("RELAPSE", "BC", "P", "UNK", "DIED"),
    ("NEW", "BC", "P", "NEG", "RR"),
]


def _cases(drawn: tuple[Any, ...]) -> Cases:
    """Many of one kind, some of another, and few of a third."""
    first, second, kind, few, third = drawn
    found: Cases = {MANY: first}
    for name, number in ((kind, second), (third, few)):
        found[name] = found.get(name, 0) + number
    return found


def _tables(first: list[int], second: list[int], few: list[int], kinds: list[tuple[str, ...]]) -> Any:
    kind = st.sampled_from(kinds)
    its = st.tuples(*(st.sampled_from(one) for one in (first, second)), kind, st.sampled_from(few), kind).map(_cases)
    return st.fixed_dictionaries({(unit, day): its for unit in REPORTING for day in DAYS})


# Safe mostly and small sometimes; or nearly all alike, so that those who are not tell of those who are.
tables = _tables([20, 40, 9, 6, 5, 0], [20, 9, 6, 5, 0], [0, 0, 0, 3, 0, 0, 1, 4, 5, 7], OTHERS) | _tables(
    [20, 40, 3, 0, 8], [0, 0, 8, 5], [0], [UNCONFIRMED, FAILED]
)


def by_class(its: Cases) -> dict[str, int]:
    """How many are of each class."""
    names = (*TYPES, *BASES, *SITES, *STATUSES, "RR", *OUTCOMES)
    return {name: sum(number for kind, number in its.items() if name in kind) for name in names}


def land(connection: Connection, table: Mapping[tuple[str, str], Cases]) -> None:
    """The cases' events, and one of a later year, with whom the last week comes that is held."""
    key = "('00000000-0000-4000-{}-' || lpad(({})::text, 12, '0'))::uuid"
    made = (
        "insert into intermediate.int_tb_event (event_key, enrolment_key, org_unit_uid, kind, day, patient_type, site, basis,"
        f" resistance, hiv_status, outcome, week_start, load_id) select {key.format('8000', 'nextval($$attack_row$$)')},"
        f" {key.format('9000', '%(first)s + n')}, %(unit)s, %(kind)s, %(day)s::date, %(type)s, %(site)s, %(basis)s,"
        " %(resistance)s, %(hiv)s, %(outcome)s, date_trunc('week', %(day)s::date)::date, 1 from generate_series(1, %(number)s) as n"
    )
    rows, first = [], 1
    for (unit, day), its in table.items():
        for (patient, basis, site, hiv, outcome), number in its.items():
            case = dict.fromkeys(("type", "site", "basis", "resistance", "hiv", "outcome"))
            case |= {"first": first, "unit": unit, "number": number}
            told = {"type": patient, "site": site, "basis": basis, "hiv": hiv, "kind": "registration", "day": day}
            rows.append(case | told | {"resistance": "RR" if outcome == "RR" else "DS"})
            if outcome not in ("none", "RR"):
                rows.append(case | {"kind": "outcome", "day": "2024-02-01", "outcome": outcome})
            first += number
    rows.append(rows[0] | {"first": 0, "number": 1, "kind": "registration", "day": "2024-12-01"})
    connection.cursor().executemany(made, rows)
