"""What a programme asks: its stages, attributes and data elements, as its system's landed registries have them.

Belongs here: the registries' rows made one object a programme. Does not: reading them, columns, SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hic_assets.systems.declare import Programme

Row = Mapping[str, str | None]
Registries = Mapping[str, Sequence[Row]]
"""Rows of a system's registries by the table's name: programs, program_stages, program_stage_data_elements, ..."""

_UID = re.compile(r"[A-Za-z][A-Za-z0-9]{10}")
_LAST = 10**9
_Options = tuple[tuple[str, str], ...]


class ProgrammeMissing(ValueError):
    """A declared programme is not in the registries of its system."""


@dataclass(frozen=True)
class Field:
    """An attribute or a data element of a programme. ``options``: (code, name) of the answers to choose from.

    ``stages``: names of the stages that ask for it, in their order; none for an attribute.
    """

    uid: str
    code: str | None
    name: str | None
    value_type: str
    form_name: str | None = None
    option_set: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    stages: tuple[str, ...] = ()
    mandatory: bool = False
    unique: bool = False
    confidential: bool = False


@dataclass(frozen=True)
class Stage:
    """A programme stage."""

    uid: str
    name: str


@dataclass(frozen=True)
class Form:
    """A programme as it is now: fields in the order of the form. What has no DHIS2 uid is left out."""

    programme: Programme
    name: str
    stages: tuple[Stage, ...]
    attributes: tuple[Field, ...]
    data_elements: tuple[Field, ...]


def form_of(programme: Programme, registries: Registries) -> Form:
    """The form of a declared programme.

    Raises:
        ProgrammeMissing: the registries do not know it; says which table was looked in.
    """
    found = next((row for row in registries["programs"] if row["id"] == programme.uid), None)
    if found is None:
        raise ProgrammeMissing(f"programme {programme.name} ({programme.uid}) is not in the registry 'programs'")
    stages = _in_order(row for row in registries["program_stages"] if row["program"] == programme.uid)
    options = _options(registries["options"])
    return Form(
        programme,
        found["name"] or programme.title,
        tuple(Stage(_text(row["id"]), row["name"] or "") for row in stages if is_uid(row["id"])),
        tuple(_attributes(programme, registries["program_attributes"], options)),
        tuple(_data_elements(stages, registries["program_stage_data_elements"], options)),
    )


def is_uid(text: str | None) -> bool:
    """Whether a text is a DHIS2 uid; only such a text is ever written into a model."""
    return bool(text and _UID.fullmatch(text))


def _attributes(programme: Programme, rows: Iterable[Row], options: Mapping[str, _Options]) -> Iterable[Field]:
    for row in _in_order(row for row in rows if row["program"] == programme.uid):
        if is_uid(row["attribute"]):
            yield _field(
                _text(row["attribute"]),
                row,
                options,
                mandatory=row["mandatory"] == "true",
                unique=row["unique"] == "true",
                confidential=row["confidential"] == "true",
            )


def _data_elements(stages: Sequence[Row], rows: Iterable[Row], options: Mapping[str, _Options]) -> Iterable[Field]:
    """Each data element once, where the first stage has it; several stages may ask for it."""
    names = {row["id"]: row["name"] or "" for row in stages}
    by_stage: dict[str | None, list[Row]] = {stage: [] for stage in names}
    for row in rows:
        if row["program_stage"] in by_stage and is_uid(row["data_element"]):
            by_stage[row["program_stage"]].append(row)
    asked: dict[str, list[Row]] = {}
    for of_stage in by_stage.values():
        for row in _in_order(of_stage):
            asked.setdefault(_text(row["data_element"]), []).append(row)
    for uid, asking in asked.items():
        yield _field(
            uid,
            asking[0],
            options,
            stages=tuple(names[row["program_stage"]] for row in asking),
            mandatory=all(row["compulsory"] == "true" for row in asking),
        )


def _field(
    uid: str,
    row: Row,
    options: Mapping[str, _Options],
    *,
    stages: tuple[str, ...] = (),
    mandatory: bool,
    unique: bool = False,
    confidential: bool = False,
) -> Field:
    option_set = row["option_set"] if is_uid(row["option_set"]) else None
    return Field(
        uid=uid,
        code=row["code"],
        name=row["name"],
        form_name=row.get("form_name"),
        value_type=row["value_type"] or "TEXT",
        option_set=option_set,
        options=options.get(option_set or "", ()),
        stages=stages,
        mandatory=mandatory,
        unique=unique,
        confidential=confidential,
    )


def _options(rows: Iterable[Row]) -> dict[str, _Options]:
    sets: dict[str, list[Row]] = {}
    for row in rows:
        sets.setdefault(_text(row["option_set"]), []).append(row)
    return {
        uid: tuple((_text(row["code"]), row["name"] or _text(row["code"])) for row in _in_order(of_set))
        for uid, of_set in sets.items()
    }


def _in_order(rows: Iterable[Row]) -> list[Row]:
    """By the place on the form; what has the same place, by all else, so that the order is always the same."""
    return sorted(rows, key=lambda row: (_number(row["sort_order"]), [value or "" for value in row.values()]))


def _number(text: str | None) -> int:
    return int(text) if text and text.strip().isascii() and text.strip().isdigit() else _LAST


def _text(value: str | None) -> str:
    return value or ""
