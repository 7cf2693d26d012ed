"""New and edited rows: what a clerk's insert, edit and delete make of the rows that stand.

Belongs here: pure functions from rows (dictionaries and frames) to rows. Does not belong here: keeping them
(``changes``) or choosing them (``drift``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from hic_assets.sandbox.world.catalogue import DEFAULT_COMBO
from hic_assets.sandbox.world.hashing import key, salted, uid, uniform
from hic_assets.sandbox.world.trackers import filling, moments, people
from hic_assets.sandbox.world.trackers.catalogue import ProgrammeSpec, StageSpec
from hic_assets.sandbox.world.trackers.draft import Draft, Setting
from hic_assets.sandbox.world.trackers.packing import sheet
from hic_assets.sandbox.world.trackers.people import Persons
from hic_assets.sandbox.world.trackers.programmes import ATTRIBUTES
from hic_assets.sandbox.world.trackers.schema import ENROLLMENTS, SCHEMAS, TRACKED_ENTITIES

Row = dict[str, Any]
Values = Mapping[str, str | None]


def changed(pairs: Sequence[Mapping[str, str]], field: str, values: Values) -> list[dict[str, str]]:
    """A list of values (structs with ``field`` and value) with some set, and those that are None taken out."""
    whole = {p[field]: p["value"] for p in pairs} | dict(values)
    return [{field: name, "value": value} for name, value in whole.items() if value is not None]


def local_day(at: int) -> date:
    """The day in Kigali of a moment (ms)."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + (at + moments.KIGALI_MS) // moments.DAY_MS)


def edited_event(row: Row, values: Values, occurred_at: date | None, status: str | None, at: int) -> Row:
    """An event after an edit. One that is completed, or takes place, gets the day and the moment it then has."""
    made = dict(row, data_values=changed(row["data_values"], "data_element", values))
    if occurred_at is not None:
        made["occurred_at"] = occurred_at
    if status is not None:
        made["status"] = status
        if status in ("ACTIVE", "COMPLETED", "VISITED") and made["occurred_at"] is None:
            made["occurred_at"] = min(row["scheduled_at"], local_day(at))
        made["completed_ms"] = at if status == "COMPLETED" else None
        made["completed_by"] = made["stored_by"] if status == "COMPLETED" else None
    return made


def new_event(enrolment: Row, stage: StageSpec, occurred_at: date, values: Values, own: str, at: int, seq: int) -> Row:
    """A completed event of an enrolment with uid ``own`` and database id ``seq``."""
    return {
        "uid": own,
        "program": enrolment["program"],
        "program_stage": stage.uid,
        "enrollment": enrolment["uid"],
        "tracked_entity": enrolment["tracked_entity"],
        "org_unit": enrolment["org_unit"],
        "status": "COMPLETED",
        "occurred_at": occurred_at,
        "scheduled_at": occurred_at,
        "completed_ms": at,
        "completed_by": enrolment["stored_by"],
        "attribute_option_combo": DEFAULT_COMBO,
        "follow_up": False,
        "created_ms": at,
        "updated_ms": at,
        "deleted": False,
        "stored_by": enrolment["stored_by"],
        "longitude": None,
        "latitude": None,
        "data_values": changed([], "data_element", values),
        "_seq": seq,
    }


def drawn_values(stages: Sequence[StageSpec], salts: Sequence[object], days: Sequence[date]) -> list[dict[str, str]]:
    """Plausible answers by uid, one dictionary a stage; fields that only the story can answer are left out."""
    found: list[dict[str, str]] = [{} for _ in stages]
    for stage in set(stages):
        rows = [i for i, s in enumerate(stages) if s == stage]
        hashes = np.array([key("drawn", salts[i]) for i in rows], dtype=np.uint64)
        day = np.array([moments.day_number(days[i]) for i in rows], dtype=np.int64)
        packed = filling.answers(stage, hashes, day, {}).pack("data_element").to_list()
        for i, pairs in zip(rows, packed, strict=True):
            found[i] = {p["data_element"]: p["value"] for p in pairs}
    return found


def sequence(at: int, number: int) -> int:
    """A database id after those of the moment before; ``number`` makes it distinct."""
    return (at << 20) | (number % 2**20)


def new_persons(many: int, seed: object, setting: Setting, days: Sequence[date]) -> Persons:
    """Adults, or children for whom that makes sense, who are in no programme yet."""
    hashes = salted(np.arange(many, dtype=np.uint64), "new person", seed)
    day = np.array([moments.day_number(d) for d in days], dtype=np.int64)
    born = day - np.floor((18 + 40 * uniform(salted(hashes, "age"))) * 365.25).astype(np.int64)
    home = setting.places.homes(hashes)
    return people.adults(hashes, uniform(salted(hashes, "sex")) < 0.5, born, home)


def newborn(persons: Persons, days: Sequence[date]) -> Persons:
    """The same as children born on these days, with mothers."""
    day = np.array([moments.day_number(d) for d in days], dtype=np.int64)
    return Persons(persons.key, persons.female, day, persons.home, salted(persons.key, "mother"), persons.born)


def registered(
    spec: ProgrammeSpec, setting: Setting, persons: Persons, days: Sequence[date], at: int, number: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tracked entities and enrolments of new persons on these days, made at ``at``."""
    day = np.array([moments.day_number(d) for d in days], dtype=np.int64)
    draft = Draft(setting, spec, persons, day, persons.home)
    codes = {a.code: a.uid for a in spec.attributes}
    answers = {codes[c]: a.take(draft.first) for c, a in ATTRIBUTES[spec.key](draft).items()}
    attributes = sheet(answers, len(persons)).pack("attribute").to_list()
    made = [_pair(spec, setting, p, h, d, at, number + i) for i, (p, h, d) in enumerate(_each(persons, draft, days))]
    for i, ((entity, _), values) in enumerate(zip(made, attributes, strict=True)):
        own = {codes["CR_UNIQUE_ID"]: f"{days[i].year}9{number + i:05d}"} if "CR_UNIQUE_ID" in codes else {}
        entity["attributes"] = changed(values, "attribute", own)
    return frame(TRACKED_ENTITIES, [e for e, _ in made]), frame(ENROLLMENTS, [e for _, e in made])


def _each(persons: Persons, draft: Draft, days: Sequence[date]) -> list[tuple[int, str, date]]:
    users = draft.setting.places.users.gather(persons.home).to_list()
    return list(zip(persons.home.tolist(), users, days, strict=True))


def _pair(
    spec: ProgrammeSpec, setting: Setting, home: int, user: str, day: date, at: int, number: int
) -> tuple[Row, Row]:
    entity = uid("inserted entity", spec.uid, at, number)
    unit = setting.places.units[home]
    common = {"org_unit": unit, "created_ms": at, "updated_ms": at, "deleted": False, "stored_by": user}
    common["_seq"] = sequence(at, number)
    person = {"uid": entity, "tracked_entity_type": spec.tracked_entity_type, "inactive": False, "enrolled": [day]}
    enrolment = {
        "uid": uid("inserted enrolment", spec.uid, at, number),
        "tracked_entity": entity,
        "program": spec.uid,
        "status": "ACTIVE",
        "enrolled_at": day,
        "occurred_at": day,
        "completed_ms": None,
        "follow_up": False,
    }
    return common | person, common | enrolment


def frame(kind: str, rows: Sequence[Row]) -> pl.DataFrame:
    """Rows as a frame of the kind."""
    return pl.DataFrame(list(rows), schema=SCHEMAS[kind], orient="row")


def other_values(stages: Mapping[str, StageSpec], rows: Sequence[Row], salt: int) -> dict[str, dict[str, str]]:
    """By uid of the event, one of its answers changed to another that the field allows; nothing for some."""
    days = [r["occurred_at"] or r["scheduled_at"] for r in rows]
    drawn = drawn_values([stages[r["program_stage"]] for r in rows], [(r["uid"], salt) for r in rows], days)
    found = {}
    for row, values in zip(rows, drawn, strict=True):
        held = {p["data_element"]: p["value"] for p in row["data_values"]}
        different = [name for name, value in values.items() if held.get(name, value) != value]
        if different:
            name = different[int(key("which", row["uid"], salt)) % len(different)]
            found[row["uid"]] = {name: values[name]}
    return found
