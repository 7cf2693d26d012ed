"""The first differences of each class, fit to be shown: what may identify a person is masked inside PostgreSQL.

Belongs here: which differences are shown and how. Does not: recognising patterns (``patterns`` sees whole values).
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from hic_assets.landing.ddl import exists
from hic_assets.parity.differences import Difference
from hic_assets.parity.loads import Compared, Loads
from hic_assets.parity.rules import Spelling

SAMPLE = 20
"""Differences kept a class."""

# A number of up to six digits, a date, a yes or no: no telephone number, no national identifier, no name.
_HARMLESS = r"^(-?\d{1,6}([.,]\d{1,6})?|\d{4}-\d{2}-\d{2}(T[\d:.]+)?|true|false|TRUE|FALSE|True|False)$"

_SAMPLES = """
insert into ops.parity_difference (parity_id, class, place, record, field, legacy_value, unified_value,
                                   legacy_updated_at, unified_updated_at, other_partition)
select {parity_id}, class, place, key, field, {legacy}, {unified}, legacy_updated, unified_updated, other_partition
from (
    select x.*, row_number() over (partition by class order by of_field, field, key) as place from (
        select c.class, c.key, c.legacy_updated, c.unified_updated, c.other_partition, c.field, c.legacy, c.unified,
               row_number() over (partition by c.class, c.field order by c.key) as of_field
        from ({candidates}) c
    ) x
) y
{with_options}
where place <= {sample}
"""
# The first records of a class, with the fields of those that are late.
_OF_CLASS = """
select c.*, f.field, f.legacy, f.unified
from (select * from parity_class where class = '{name}' order by key limit {sample}) c
left join parity_field f on f.key = c.key
"""
# Of those with other values the first of each field.
_OF_FIELDS = """
select c.*, f.field, f.legacy, f.unified
from (select distinct field from parity_field where not late) n
cross join lateral (
    select f.* from parity_field f where f.field = n.field and not f.late order by f.key limit {sample}
) f
join parity_class c on c.key = f.key
"""
_OPTIONS = """
left join (select distinct data_element from raw.{registry} where option_set is not null) o
    on y.field = 'data_values.' || o.data_element
"""
_REPEATED = """
insert into ops.parity_difference (parity_id, class, place, record)
select %(parity)s, 'duplicated', row_number() over (order by record), record from (
    select distinct row_text::jsonb ->> case load_id when %(legacy)s then %(old)s else %(new)s end as record
    from ops.quarantine where load_id in (%(legacy)s, %(unified)s) and rule = 'duplicate_key'
) r
order by record limit %(sample)s
"""


def keep_samples(
    connection: Connection[Any], compared: Compared, loads: Loads, parity_id: int, *, explained: bool
) -> None:
    """Write the first differences of each class to ``ops.parity_difference``.

    ``explained``: some records are not equal, and the temporary tables say how; else there are only repeated rows.
    """
    if explained:
        _keep_unequal(connection, compared, loads, parity_id)
    connection.execute(
        _REPEATED,
        {
            "parity": parity_id,
            "legacy": loads.legacy.load_id,
            "unified": loads.unified.load_id,
            "old": compared.key.legacy,
            "new": compared.key.unified,
            "sample": SAMPLE,
        },
    )


def _keep_unequal(connection: Connection[Any], compared: Compared, loads: Loads, parity_id: int) -> None:
    registry = f"{loads.unified.system}_program_stage_data_elements"
    coded = exists(connection, "raw", registry)
    statement = _SAMPLES.format(
        parity_id=parity_id,
        legacy=_shown("legacy", compared, coded),
        unified=_shown("unified", compared, coded),
        candidates=" union all ".join(_candidates(name) for name in Difference),
        with_options=_OPTIONS.format(registry=registry) if coded else "",
        sample=SAMPLE,
    )
    connection.execute(statement.encode())


def _candidates(name: Difference) -> str:
    return (_OF_FIELDS if name is Difference.VALUE_DIFFERS else _OF_CLASS).format(name=name, sample=SAMPLE)


def _shown(value: str, compared: Compared, coded: bool) -> str:
    """SQL of a value as it may be shown."""
    identifying = [f for f in compared.values if f.identifying]
    plain = ", ".join(f"'{f.name}'" for f in identifying if f.spelling is not Spelling.VALUES) or "''"
    harmless = f"{value} ~ '{_HARMLESS}'" + (" or o.data_element is not null" if coded else "")
    return f"""case when field like 'data_values.%' and ({harmless}) then {value}
                    when field like 'data_values.%' or field like 'attributes.%' or field in ({plain})
                        then char_length({value}) || ' characters'
                    else {value} end"""
