"""What counts as the same on both sides though it is written differently: the declared rules, with their SQL.

Belongs here: one rule each, in words and as SQL for either side. Does not: running anything. Numbers are never
rounded and values never trimmed or folded: a difference there is one that must be found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hic_assets.extract.dhis2.legacy_tracker.fields import LEGACY_MEMBERS
from hic_assets.extract.dhis2.tracker.fields import MEMBERS, Form, Kind, Member
from hic_assets.systems.declare import Pipeline

LOCAL_ZONE = "Africa/Kigali"
"""Zone of the servers, whose times come without an offset (contract 1.10)."""


class Spelling(StrEnum):
    """How a field is written, and so which rules speak of it."""

    TEXT = "text"
    DATE = "date"
    """A local calendar date with or without a midnight."""
    TIME = "time"
    """A moment, server local."""
    FLAG = "flag"
    VALUES = "values"
    """A JSON object of values by data element or attribute."""
    INSTANT = "instant"
    """The change time, which landing has made an instant on both sides."""


_DATES = frozenset({"enrolledAt", "occurredAt", "scheduledAt"})
_TIMES = frozenset({"createdAt", "completedAt"})
_OF_FORM = {Form.FLAG: Spelling.FLAG, Form.VALUES: Spelling.VALUES, Form.INSTANT: Spelling.INSTANT}


@dataclass(frozen=True)
class Field:
    """One member of a record: the column it stands in on each side. It goes by its name in the unified table."""

    name: str
    legacy: str
    unified: str
    spelling: Spelling
    key: bool
    identifying: bool

    def column(self, side: Pipeline) -> str:
        """The column of one side."""
        return self.legacy if side is Pipeline.LEGACY else self.unified


@dataclass(frozen=True)
class Rule:
    """One way in which the two APIs legitimately differ.

    ``legacy``, ``unified``: SQL that gives both sides' values one spelling; ``{value}`` is the value.
    ``trace``: a small integer that differs where two values that are equal by the rule were spelled differently, of one
    ``{value}`` or of all ``{values}`` of a row; it is how rows that needed the rule are counted. None: the comparison
    counts them itself.
    """

    name: str
    equates: str
    spellings: frozenset[Spelling] = frozenset()
    legacy: str = "{value}"
    unified: str = "{value}"
    trace: str | None = None

    def sql(self, side: Pipeline, value: str) -> str:
        """The value in the one spelling."""
        template = self.legacy if side is Pipeline.LEGACY else self.unified
        return template.replace("{value}", value)


_DAY = """case when {value} like '%T00:00:00.000' or {value} like '%T00:00:00' then split_part({value}, 'T00:00:00', 1)
          else {value} end"""
# By length first: of a million times nearly all have one of two lengths, and a regular expression costs ten times more.
# The pattern and the detour over the first of the month admit only what the cast accepts: a value that is no time must
# be compared as it is, not end the comparison.
_ZONED = r"^[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3])(:[0-5]\d){2}(\.\d{1,6})?(Z|[+-](0\d|1[0-4]):?[0-5]\d)$"
_LOCAL = f"""to_char(((left({{value}}, 8) || '01' || substr({{value}}, 11))::timestamptz
          + (substr({{value}}, 9, 2)::int - 1) * interval '1 day') at time zone '{LOCAL_ZONE}', 'YYYY-MM-DD"T"HH24:MI:SS.MS')"""
_MOMENT = f"""case octet_length({{value}}) when 19 then {{value}}
          when 23 then case when {{value}} like '%.000' then left({{value}}, 19) else {{value}} end
          else regexp_replace(case when {{value}} ~ '{_ZONED}' then {_LOCAL} else {{value}} end, '\\.0+$', '') end"""
_TRUE = """case {value} when 'false' then false when 'true' then true
          else coalesce({value} in ('True', 'TRUE', '1'), false) end"""
_LENGTH = "coalesce(octet_length({value}), 0)"

_NO_TEXT = Rule(
    "empty_text",
    "An empty text is no value.",
    frozenset({Spelling.TEXT, Spelling.DATE, Spelling.TIME, Spelling.VALUES}),
    "nullif({value}, '')",
    "nullif({value}, '')",
    "num_nulls({values})",
)
_DATE_RULE = Rule(
    "local_date",
    "A local date is the same with and without a midnight (T00:00:00.000). Any other time of day is kept.",
    frozenset({Spelling.DATE}),
    _DAY,
    _DAY,
    _LENGTH,
)
_TIME_RULE = Rule(
    "time_spelling",
    f"A time is the same with and without .000, and with an offset or as local time of {LOCAL_ZONE}.",
    frozenset({Spelling.TIME}),
    _MOMENT,
    _MOMENT,
    _LENGTH,
)
_FLAG_RULE = Rule(
    "flag_spelling",
    "A flag that is absent is false; true, True, TRUE and 1 are true.",
    frozenset({Spelling.FLAG}),
    _TRUE,
    _TRUE,
    "coalesce(ascii({value}), 0)",
)
VALUE_RULES: tuple[Rule, ...] = (_DATE_RULE, _TIME_RULE, _FLAG_RULE, _NO_TEXT)
"""Rules of single values, in the order in which they are applied."""

RENAMED = Rule("renamed", "Members that the APIs call differently are one: trackedEntityInstance is trackedEntity ...")
EMPTY_VALUE = Rule(
    "empty_value",
    "A data value or attribute that is an empty text is absent.",
    frozenset({Spelling.VALUES}),
    "nullif({value}, '')",
    "nullif({value}, '')",
)
BOTH_DELETED = Rule("both_deleted", "Of records that are deleted on both sides nothing else is compared.")
PURGED = Rule(
    "purged_tombstone",
    "A tombstone is the same as nothing where the other side was read later and holds no older tombstone: the server's "
    "maintenance has erased them.",
)
RULES: tuple[Rule, ...] = (RENAMED, *VALUE_RULES, EMPTY_VALUE, BOTH_DELETED, PURGED)


def fields(kind: Kind) -> tuple[Field, ...]:
    """The fields of a kind of record, key included, with their columns on both sides."""
    pairs = zip(LEGACY_MEMBERS[kind], MEMBERS[kind], strict=True)
    return tuple(_field(legacy, unified) for legacy, unified in pairs)


def _field(legacy: Member, unified: Member) -> Field:
    spelling = _OF_FORM.get(unified.form, Spelling.TEXT)
    if unified.name in _DATES:
        spelling = Spelling.DATE
    if unified.name in _TIMES:
        spelling = Spelling.TIME
    instant = spelling is Spelling.INSTANT
    return Field(
        unified.column,
        "_source_updated_at" if instant else legacy.column,
        "_source_updated_at" if instant else unified.column,
        spelling,
        unified.key,
        unified.identifying is not None,
    )


def normal(field: Field, side: Pipeline, table: str) -> str:
    """SQL of a field's value on one side, in the one spelling; ``table`` is the alias it is read from."""
    value = f"{table}.{field.column(side)}"
    for rule in VALUE_RULES:
        if field.spelling in rule.spellings:
            value = rule.sql(side, value)
    return value


def traces(rule: Rule, of: Iterable[Field], side: Pipeline, table: str) -> str:
    """SQL of one integer a row that tells how the rule's fields were spelled."""
    assert rule.trace is not None  # noqa: S101 - asked of value rules only
    values = [f"{table}.{f.column(side)}" for f in of if f.spelling in rule.spellings]
    if "{values}" in rule.trace:
        return rule.trace.replace("{values}", ", ".join(values))
    # Weighted, so that two fields that differ do not make up for each other.
    return " + ".join(f"{3**i} * {rule.trace.replace('{value}', value)}" for i, value in enumerate(values)) or "0"
