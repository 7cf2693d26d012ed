"""The sandbox's tracker programmes as rows of the landed registries, for tests that need no server.

Belongs here: from the sandbox's catalogue to what the readers would land. Does not: records of people.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hic_assets.sandbox.world.trackers import catalogue
from hic_assets.staging.form import Registries

Row = dict[str, str | None]


def registries_of(system: str) -> Registries:
    """Rows of a tracker's registries by the table's name, as landed."""
    programmes = catalogue.instance(system).programmes
    stages = [(p, s, n) for p in programmes for n, s in enumerate(p.stages, 1)]
    sets: dict[str, Any] = {}
    for field in _fields(programmes):
        if field.option_set:
            sets[field.option_set.uid] = field.option_set
    return {
        "programs": [_row(id=p.uid, code=p.code, name=p.name) for p in programmes],
        "program_stages": [
            _row(id=s.uid, program=p.uid, name=s.name, repeatable=s.repeatable, sort_order=n) for p, s, n in stages
        ],
        "program_stage_data_elements": [
            _row(
                program_stage=s.uid,
                program=p.uid,
                data_element=e.uid,
                form_name=e.form_name,
                compulsory=e.compulsory,
                sort_order=n,
                **_field(e),
            )
            for p, s, _ in stages
            for n, e in enumerate(s.data_elements, 1)
        ],
        "program_attributes": [
            _row(
                program=p.uid,
                attribute=a.uid,
                unique=a.unique,
                mandatory=a.mandatory,
                confidential=a.confidential,
                sort_order=n,
                **_field(a),
            )
            for p in programmes
            for n, a in enumerate(p.attributes, 1)
        ],
        "options": [
            _row(option_set=o.uid, option_set_name=o.name, code=code, name=name, sort_order=n)
            for o in sets.values()
            for n, (code, name) in enumerate(o.options, 1)
        ],
    }


def _fields(programmes: Iterable[Any]) -> Iterable[Any]:
    for programme in programmes:
        yield from programme.attributes
        for stage in programme.stages:
            yield from stage.data_elements


def _field(field: Any) -> dict[str, Any]:
    return {
        "code": field.code,
        "name": field.name,
        "value_type": field.value_type,
        "option_set": field.option_set.uid if field.option_set else None,
    }


def _row(**values: Any) -> Row:
    """Text as landed: booleans as DHIS2 spells them."""
    return {k: v if v is None else str(v).lower() if isinstance(v, bool) else str(v) for k, v in values.items()}


def program_rows(uid: str, stages: list[tuple[str, str]]) -> dict[str, list[Row]]:
    """A programme made by hand, and its stages in order."""
    return {
        "programs": [_row(id=uid, code="PRG", name="A programme", short_name="Prg")],
        "program_stages": [
            _row(id=stage, program=uid, name=name, repeatable=True, sort_order=n)
            for n, (stage, name) in enumerate(stages, 1)
        ],
    }


def data_element_row(uid: str, stage: str, program: str, **more: str | None) -> Row:
    """A data element of a stage, made by hand."""
    return _row(
        **{
            "program_stage": stage,
            "data_element": uid,
            "program": program,
            "code": None,
            "name": None,
            "form_name": None,
            "value_type": "TEXT",
            "option_set": None,
            "compulsory": False,
            "sort_order": 1,
            **more,
        }
    )


def attribute_row(uid: str, program: str, **more: str | None) -> Row:
    """An attribute of a programme, made by hand."""
    return _row(
        **{
            "program": program,
            "attribute": uid,
            "code": None,
            "name": None,
            "value_type": "TEXT",
            "option_set": None,
            "unique": False,
            "mandatory": False,
            "confidential": False,
            "sort_order": 1,
            **more,
        }
    )
