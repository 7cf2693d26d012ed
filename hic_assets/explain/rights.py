"""What the asker's role may read of what an explanation stands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

PARTS = ("staging.indicator_measure", "staging.measure", "dwh.fct_measure_month")
EXPRESSIONS = ("staging.stg_ops__indicator_sql", "intermediate.int_operand", "intermediate.int_measure_item")
FACTS = (
    "dwh.fct_data_value",
    "dwh.fct_reporting",
    "staging.measure",
    "staging.stg_hmis__yearly_values",
    "staging.stg_hmis__data_set_elements",
    "staging.stg_hmis__organisation_unit_group_members",
    "intermediate.int_measure_item",
    "intermediate.int_operand",
    "intermediate.int_org_unit_closure",
)
RAW = (
    "raw.hmis_data_values",
    "raw.hmis_yearly_values",
    "raw.hmis_complete_registrations",
    "raw.hmis_data_set_org_units",
    "raw.hmis_organisation_unit_group_members",
    "ops.load",
    "ops.load_slice",
)

_QUERY = """
select n.nspname || '.' || c.relname as name,
       has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as may
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname || '.' || c.relname = any(%s)
"""


@dataclass(frozen=True)
class Rights:
    """The role, the relations it may read, and those that are there."""

    role: str
    readable: frozenset[str]
    there: frozenset[str]

    def may(self, needed: Sequence[str]) -> bool:
        """Whether all are there and readable."""
        return self.readable.issuperset(needed)

    def lacks(self, needed: Sequence[str]) -> str:
        """Those that are closed or not there, in words."""
        closed = [name for name in needed if name in self.there - self.readable]
        missing = [name for name in needed if name not in self.there]
        words = [f'the role "{self.role}" may not read {", ".join(closed)}'] if closed else []
        return "; ".join([*words, *([f"there is no {', '.join(missing)}"] if missing else [])])


def rights_of(connection: Connection[Any]) -> Rights:
    """What the role of a connection may read."""
    names = sorted({*PARTS, *EXPRESSIONS, *FACTS, *RAW})
    rows = connection.execute(_QUERY.encode(), (names,)).fetchall()
    found = connection.execute("select current_user").fetchone()
    return Rights(
        str(found[0]) if found else "?", frozenset(n for n, may in rows if may), frozenset(n for n, _ in rows)
    )
