"""The programmes as DHIS2 metadata: instances, programmes, stages, attributes, data elements and options.

Belongs here: reading the forms from ``data/trackers/*.csv`` and giving them uids. Does not belong here: what people
answered. Source: domain facts 2.5, 2.6, 2.7, 2.9, 2.10; the cancer registry has the uids of its public metadata.
Uids are those of one instance: another DHIS2 has other uids for the same attribute.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hic_assets.sandbox.world.geography import read_csv
from hic_assets.sandbox.world.hashing import uid

Row = dict[str, str]


@dataclass(frozen=True)
class OptionSetSpec:
    """Answers to choose from: ``options`` are (code, name) in order, ``weights`` how often each is chosen."""

    uid: str
    code: str
    name: str
    options: tuple[tuple[str, str], ...]
    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class AttributeSpec:
    """A tracked entity attribute as a programme asks for it."""

    uid: str
    code: str
    name: str
    value_type: str
    option_set: OptionSetSpec | None
    unique: bool
    mandatory: bool
    confidential: bool


@dataclass(frozen=True)
class ElementSpec:
    """A data element of a stage. ``filled`` is how often it is answered and ``fill`` with what (see ``filling``)."""

    uid: str
    code: str
    name: str
    form_name: str
    value_type: str
    option_set: OptionSetSpec | None
    compulsory: bool
    filled: float = 1.0
    fill: str = ""


@dataclass(frozen=True)
class StageSpec:
    """A programme stage; ``key`` is its short name within this package."""

    uid: str
    name: str
    repeatable: bool
    data_elements: tuple[ElementSpec, ...]
    key: str = ""


@dataclass(frozen=True)
class ProgrammeSpec:
    """A programme with registration; ``key`` is its short name within this package (``tb``)."""

    uid: str
    code: str
    name: str
    tracked_entity_type: str
    attributes: tuple[AttributeSpec, ...]
    stages: tuple[StageSpec, ...]
    key: str = ""

    def stage(self, key: str) -> StageSpec:
        """A stage by its short name."""
        return next(s for s in self.stages if s.key == key)


@dataclass(frozen=True)
class Instance:
    """One DHIS2: its context path, its ``systemId`` and the programmes it holds."""

    name: str
    context: str
    system_id: str
    programmes: tuple[ProgrammeSpec, ...]

    def programme(self, key: str) -> ProgrammeSpec:
        """A programme by its short name."""
        return next(p for p in self.programmes if p.key == key)


CONTEXTS = {
    "hmis_tracker": "/tracker",
    "hiv_tracker": "/hiv",
    "immunization_tracker": "/immunization",
    "cancer_registry": "/oncology",
}


@cache
def _table(name: str) -> tuple[Row, ...]:
    return tuple(read_csv(f"trackers/{name}.csv").fill_null("").to_dicts())


@cache
def _option_set(instance: str, code: str) -> OptionSetSpec | None:
    rows = [r for r in _table("options") if r["option_set"] == code]
    if not rows:
        if code:
            raise ValueError(f"no option set {code!r}")
        return None
    return OptionSetSpec(
        uid=uid("trackerOptionSet", instance, code),
        code=code,
        name=code.replace("_", " ").capitalize(),
        options=tuple((r["code"], r["name"]) for r in rows),
        weights=tuple(float(r["weight"] or 1) for r in rows),
    )


def _attribute(instance: str, row: Row) -> AttributeSpec:
    return AttributeSpec(
        uid=row["uid"] or uid("trackedEntityAttribute", instance, row["code"]),
        code=row["code"],
        name=row["name"],
        value_type=row["value_type"],
        option_set=_option_set(instance, row["option_set"]),
        unique="u" in row["flags"],
        mandatory="m" in row["flags"],
        confidential="c" in row["flags"],
    )


def _element(instance: str, prefix: str, row: Row) -> ElementSpec:
    return ElementSpec(
        uid=row["uid"] or uid("trackerDataElement", instance, row["code"]),
        code=row["code"],
        name=f"{prefix} - {row['form_name']}",
        form_name=row["form_name"],
        value_type=row["value_type"],
        option_set=_option_set(instance, row["option_set"]),
        compulsory=row["compulsory"] == "y",
        filled=float(row["filled"] or 1),
        fill=row["fill"],
    )


def _stage(instance: str, programme: Row, row: Row) -> StageSpec:
    mine = (programme["key"], row["stage"])
    elements = (r for r in _table("elements") if (r["programme"], r["stage"]) == mine)
    return StageSpec(
        uid=row["uid"] or uid("programStage", *mine),
        name=row["name"],
        repeatable=row["repeatable"] == "y",
        data_elements=tuple(_element(instance, programme["code"].split("_")[0], r) for r in elements),
        key=row["stage"],
    )


def _programme(instance: str, row: Row) -> ProgrammeSpec:
    key = row["key"]
    return ProgrammeSpec(
        uid=row["uid"],
        code=row["code"],
        name=row["name"],
        tracked_entity_type=row["tracked_entity_type"],
        attributes=tuple(
            _attribute(instance, r)
            for r in _table("attributes")
            if r["instance"] == instance and key in r["programmes"].split()
        ),
        stages=tuple(_stage(instance, row, r) for r in _table("stages") if r["programme"] == key),
        key=key,
    )


INSTANCES: tuple[Instance, ...] = tuple(
    Instance(
        name=name,
        context=context,
        system_id=uid("systemId", name),
        programmes=tuple(_programme(name, r) for r in _table("programmes") if r["instance"] == name),
    )
    for name, context in CONTEXTS.items()
)


@cache
def instance(name: str) -> Instance:
    """An instance by name; KeyError when there is none."""
    return {i.name: i for i in INSTANCES}[name]
