"""Records as the objects a reply holds: members chosen by ``fields``, columns renamed, lists inside.

Belongs here: frames in, frames and JSON lines out, column by column. Source: contract 1.6, 1.7, 1.10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from hic_assets.sandbox.server.fields import Field
from hic_assets.sandbox.server.tracker import lists, members
from hic_assets.sandbox.server.tracker.members import Member
from hic_assets.sandbox.server.tracker.view import View
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, EVENTS, TRACKED_ENTITIES

# what the members of lists of values are called: (unified, legacy)
_VALUE_NAMES = {"created": ("createdAt", "created"), "updated": ("updatedAt", "lastUpdated")}
_PARENT = {ENROLLMENTS: "tracked_entity", EVENTS: "enrollment"}


@dataclass(frozen=True)
class References:
    """What records refer to: attributes (with code, displayName, valueType), units (org_unit, org_unit_name), the rest."""

    attributes: pl.DataFrame
    units: pl.DataFrame
    default_combo: str
    tracked_entity_types: Mapping[str, str]


@dataclass(frozen=True)
class Shaper:
    """Shapes the records of one request."""

    view: View
    programs: tuple[str, ...]
    zone: str
    references: References
    include_deleted: bool

    @property
    def _legacy(self) -> bool:
        return self.view.family == "legacy"

    def members(self, kind: str) -> tuple[Member, ...]:
        """Every member a record of a kind has."""
        return (members.legacy if self._legacy else members.unified)(kind, self.view.dialect)

    def lines(self, frame: pl.DataFrame, kind: str, wanted: list[Field]) -> bytes:
        """The records as JSON objects with commas between."""
        nulls: set[str] = set()
        shaped = self.shape(frame, kind, wanted, nulls)
        if not shaped.width:
            return b",".join([b"{}"] * frame.height)
        return without_nulls(shaped.write_ndjson().encode().rstrip(b"\n").replace(b"\n", b","), nulls)

    def shape(self, frame: pl.DataFrame, kind: str, wanted: list[Field], nulls: set[str]) -> pl.DataFrame:
        """A frame whose columns are the members; ``nulls`` gets the names of those that are null in some records."""
        columns: list[pl.Expr | pl.Series] = []
        picked = chosen(self.members(kind), wanted)
        frame = self._named(frame, kind, {member.name for member, _ in picked})
        for member, field in picked:
            if member.make is not None:
                columns.append(member.make(self.zone).alias(field.output))
            else:
                columns.append(self._listed(frame, member.list_of, field.members, nulls).alias(field.output))
        names = [c.name if isinstance(c, pl.Series) else c.meta.output_name() for c in columns]
        return _without_empty(frame.with_columns(columns).select(names), nulls)

    def _named(self, frame: pl.DataFrame, kind: str, names: set[str]) -> pl.DataFrame:
        """With the columns that stand in no store: names of units, types, the default combination."""
        info = self.references
        if "orgUnitName" in names:
            frame = frame.join(info.units, on="org_unit", how="left", maintain_order="left")
        if kind == ENROLLMENTS:
            types = pl.col("program").replace_strict(info.tracked_entity_types, default=None, return_dtype=pl.String)
            frame = frame.with_columns(tracked_entity_type=types, default_combo=pl.lit(info.default_combo))
        return frame

    def _listed(self, frame: pl.DataFrame, list_of: str, wanted: list[Field], nulls: set[str]) -> pl.Series:
        if list_of == "data_values":
            return self._data_values(frame, wanted, nulls)
        if list_of == "attributes":
            return self._attributes(frame, frame["attributes"], wanted, nulls)
        if list_of == "own_attributes":
            return self._attributes(frame, self._of_person(frame), wanted, nulls)
        return self._records(frame, list_of, wanted, nulls)

    def _data_values(self, frame: pl.DataFrame, wanted: list[Field], nulls: set[str]) -> pl.Series:
        names = {"dataElement": "data_element", "value": "value"}
        asked = [f.name for f in wanted]
        if asked and set(asked) <= set(names):
            return lists.renamed(frame["data_values"], {f.output: names[f.name] for f in wanted})
        lengths, values = lists.spread(frame["data_values"])
        side = int(self._legacy)
        full = values.select(
            pl.Series(_VALUE_NAMES["created"][side], self._repeated(frame, "created_ms", lengths)),
            pl.Series(_VALUE_NAMES["updated"][side], self._repeated(frame, "updated_ms", lengths)),
            storedBy=_repeat(frame["stored_by"], lengths),
            providedElsewhere=pl.lit(False),
            dataElement="data_element",
            value="value",
        )
        return lists.nested(lengths, _without_empty(_picked(full, wanted), nulls))

    def _attributes(self, frame: pl.DataFrame, values: pl.Series, wanted: list[Field], nulls: set[str]) -> pl.Series:
        names = {"attribute": "attribute", "value": "value"}
        asked = [f.name for f in wanted]
        if asked and set(asked) <= set(names):
            return lists.renamed(values, {f.output: names[f.name] for f in wanted})
        lengths, flat = lists.spread(values)
        side = int(self._legacy)
        changed = "updated_ms" if self.view.dialect.refreshes_attribute_times else "created_ms"
        full = flat.join(self.references.attributes, on="attribute", how="left", maintain_order="left").select(
            "attribute",
            "code",
            "displayName",
            pl.Series(_VALUE_NAMES["created"][side], self._repeated(frame, "created_ms", lengths)),
            pl.Series(_VALUE_NAMES["updated"][side], self._repeated(frame, changed, lengths)),
            pl.Series("storedBy", _repeat(frame["stored_by"], lengths)),
            "valueType",
            "value",
        )
        return lists.nested(lengths, _without_empty(_picked(full, wanted), nulls))

    def _of_person(self, frame: pl.DataFrame) -> pl.Series:
        """The attributes of whom each enrolment is about."""
        persons = self.view.frame(TRACKED_ENTITIES, self.programs).select("uid", "attributes")
        persons = persons.unique("uid", keep="first")
        joined = frame.select("tracked_entity").join(
            persons, left_on="tracked_entity", right_on="uid", how="left", maintain_order="left"
        )
        return joined["attributes"]

    def _records(self, frame: pl.DataFrame, kind: str, wanted: list[Field], nulls: set[str]) -> pl.Series:
        """Nested enrolments or events; without fields the default ones, deleted ones only when asked for."""
        children = self.view.frame(kind, self.programs)
        if not self.include_deleted and not self.view.dialect.leaks_deleted_nested:
            children = children.filter(~pl.col("deleted"))
        lengths, found = lists.gathered(children, _PARENT[kind], frame["uid"])
        return lists.nested(lengths, self.shape(found, kind, wanted or [Field("*", "*")], nulls))

    def _repeated(self, frame: pl.DataFrame, column: str, lengths: lists.Lengths) -> pl.Series:
        return _repeat(frame.select(members.stamp(column)(self.zone).alias("s"))["s"], lengths)


def _repeat(series: pl.Series, lengths: lists.Lengths) -> pl.Series:
    return series.to_frame("s").select(pl.col("s").repeat_by(pl.Series(lengths)).explode(empty_as_null=False))["s"]


def chosen(known: tuple[Member, ...], wanted: list[Field]) -> list[tuple[Member, Field]]:
    """The members that ``fields`` names; unknown names are passed over."""
    dropped = {f.name[1:] for f in wanted if f.name.startswith("!")}
    named = {f.name: f for f in wanted}
    every = "*" in named
    return [
        (member, named.get(member.name, Field(member.name, member.name)))
        for member in known
        if (every or member.name in named) and member.name not in dropped
    ]


def _picked(full: pl.DataFrame, wanted: list[Field]) -> pl.DataFrame:
    """The columns of values that ``fields`` names; all when it names none."""
    if not wanted:
        return full
    every = tuple(Member(name) for name in full.columns)
    return full.select(pl.col(m.name).alias(f.output) for m, f in chosen(every, wanted))


def _without_empty(frame: pl.DataFrame, nulls: set[str]) -> pl.DataFrame:
    """Without the columns that are null throughout; ``nulls`` gets the names of those that are null in part."""
    counts = {column: frame[column].null_count() for column in frame.columns}
    nulls |= {column for column, count in counts.items() if 0 < count < frame.height}
    return frame.select(column for column, count in counts.items() if not count or count < frame.height)


def without_nulls(text: bytes, names: set[str]) -> bytes:
    """JSON without its null members of these names. In a string a quote is escaped: no text is mistaken for one."""
    for name in sorted(names):
        null = f'"{name}":null'.encode()
        text = text.replace(b"," + null, b"")
    for name in sorted(names):
        null = f'"{name}":null'.encode()
        if b"{" + null in text:
            text = text.replace(b"{" + null + b",", b"{").replace(b"{" + null + b"}", b"{}")
    return text
