"""The metadata of a tracker instance as DHIS2 objects: programmes, stages, attributes, data elements, option sets.

Belongs here: the shape of the objects. Does not belong here: paging, filters and field selection (see
``server.metadata``), nor what the forms ask (see ``world.trackers.catalogue``). Source: contract 1.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hic_assets.sandbox.world import World, registry
from hic_assets.sandbox.world.hashing import uid
from hic_assets.sandbox.world.trackers.catalogue import (
    AttributeSpec,
    ElementSpec,
    OptionSetSpec,
    ProgrammeSpec,
    StageSpec,
)

Object = dict[str, Any]
Programmes = Sequence[ProgrammeSpec]
SHARED = (
    "organisationUnits",
    "organisationUnitLevels",
    "organisationUnitGroups",
    "organisationUnitGroupSets",
    "categoryOptionCombos",
    "categoryCombos",
    "categories",
)


def _object(own: str, code: str, name: str, **more: Any) -> Object:
    made = {
        "id": own,
        "code": code,
        "name": name,
        "displayName": name,
        "shortName": name[:50],
        "created": registry.SETTLED,
        "lastUpdated": registry.SETTLED,
        **more,
    }
    return {k: v for k, v in made.items() if v is not None}


def _reference(option_set: OptionSetSpec | None) -> Object | None:
    return {"id": option_set.uid, "name": option_set.name} if option_set else None


def _options(option_set: OptionSetSpec) -> list[Object]:
    return [
        _object(
            uid("option", option_set.uid, code),
            code,
            name,
            sortOrder=place,
            optionSet={"id": option_set.uid, "name": option_set.name},
        )
        for place, (code, name) in enumerate(option_set.options, 1)
    ]


def _option_set(option_set: OptionSetSpec) -> Object:
    return _object(
        option_set.uid,
        option_set.code,
        option_set.name,
        valueType="TEXT",
        version=1,
        options=_options(option_set),
    )


def _attribute(spec: AttributeSpec) -> Object:
    return _object(
        spec.uid,
        spec.code,
        spec.name,
        valueType=spec.value_type,
        aggregationType="NONE",
        unique=spec.unique,
        confidential=spec.confidential,
        generated=False,
        optionSet=_reference(spec.option_set),
        optionSetValue=spec.option_set is not None,
    )


def _element(spec: ElementSpec) -> Object:
    return _object(
        spec.uid,
        spec.code,
        spec.name,
        formName=spec.form_name,
        domainType="TRACKER",
        valueType=spec.value_type,
        aggregationType="NONE",
        zeroIsSignificant=True,
        optionSet=_reference(spec.option_set),
        optionSetValue=spec.option_set is not None,
    )


def _stage(programme: ProgrammeSpec, stage: StageSpec, place: int) -> Object:
    elements = [
        {
            "id": uid("programStageDataElement", stage.uid, element.uid),
            "compulsory": element.compulsory,
            "sortOrder": order,
            "displayInReports": False,
            "programStage": {"id": stage.uid},
            "dataElement": _element(element),
        }
        for order, element in enumerate(stage.data_elements, 1)
    ]
    made = _object(
        stage.uid,
        "",
        stage.name,
        program={"id": programme.uid, "name": programme.name},
        repeatable=stage.repeatable,
        sortOrder=place,
        featureType="NONE",
        validationStrategy="ON_COMPLETE",
        programStageDataElements=elements,
    )
    del made["code"]
    return made


def _stages(programme: ProgrammeSpec) -> list[Object]:
    return [_stage(programme, stage, place) for place, stage in enumerate(programme.stages, 1)]


def _programme(programme: ProgrammeSpec) -> Object:
    attributes = [
        {
            "id": uid("programAttribute", programme.uid, attribute.uid),
            "name": f"{programme.name} {attribute.name}",
            "program": {"id": programme.uid},
            "mandatory": attribute.mandatory,
            "sortOrder": order,
            "displayInList": order <= 4,
            "searchable": attribute.unique,
            "valueType": attribute.value_type,
            "trackedEntityAttribute": _attribute(attribute),
        }
        for order, attribute in enumerate(programme.attributes, 1)
    ]
    return _object(
        programme.uid,
        programme.code,
        programme.name,
        programType="WITH_REGISTRATION",
        accessLevel="OPEN",
        version=1,
        featureType="NONE",
        onlyEnrollOnce=False,
        trackedEntityType={"id": programme.tracked_entity_type, "name": "Person"},
        categoryCombo={"id": uid("categoryCombo", "DEFAULT"), "name": "default"},
        programTrackedEntityAttributes=attributes,
        programStages=_stages(programme),
    )


def option_sets(programmes: Programmes) -> dict[str, OptionSetSpec]:
    """Every option set an attribute or data element of these programmes refers to, by uid."""
    specs: list[AttributeSpec | ElementSpec] = [a for p in programmes for a in p.attributes]
    specs += [e for p in programmes for s in p.stages for e in s.data_elements]
    return {s.option_set.uid: s.option_set for s in specs if s.option_set}


def _once(objects: list[Object]) -> list[Object]:
    return list({o["id"]: o for o in objects}.values())


def _types(programmes: Programmes) -> list[Object]:
    return _once([_object(p.tracked_entity_type, "PERSON", "Person") for p in programmes])


RESOURCES: dict[str, Callable[[Programmes], list[Object]]] = {
    "programs": lambda ps: [_programme(p) for p in ps],
    "programStages": lambda ps: [s for p in ps for s in _stages(p)],
    "trackedEntityAttributes": lambda ps: _once([_attribute(a) for p in ps for a in p.attributes]),
    "trackedEntityTypes": _types,
    "optionSets": lambda ps: [_option_set(o) for o in option_sets(ps).values()],
    "options": lambda ps: [o for s in option_sets(ps).values() for o in _options(s)],
    "dataElements": lambda ps: _once([_element(e) for p in ps for s in p.stages for e in s.data_elements]),
}


def resources(programmes: Callable[[], Programmes]) -> dict[str, Callable[[World], list[Object]]]:
    """What an instance lists: the units it shares with everybody, and its own programmes as they are now."""
    shared = {name: registry.RESOURCES[name] for name in SHARED}

    def listing(name: str) -> Callable[[World], list[Object]]:
        return lambda _: RESOURCES[name](programmes())

    return shared | {name: listing(name) for name in RESOURCES}
