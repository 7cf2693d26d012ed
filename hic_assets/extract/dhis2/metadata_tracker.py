"""What a tracker's programmes and fields mean: five raw tables. Pure; `metadata.py` reads."""

from __future__ import annotations

from collections.abc import Iterable

from hic_assets.extract.dhis2 import envelopes as e
from hic_assets.extract.dhis2.metadata_rows import MetadataTable, Row, id_of, plain

_PROGRAM_COLUMNS = ("id", "code", "name", "short_name", "program_type", "tracked_entity_type", "last_updated")
_STAGE_COLUMNS = ("id", "program", "name", "repeatable", "sort_order", "last_updated")


def _stage_elements(stage: e.ProgramStage) -> Iterable[Row]:
    for asked in stage.program_stage_data_elements:
        element = asked.data_element
        yield {
            "program_stage": stage.id,
            "data_element": element.id,
            "program": id_of(stage.program),
            "code": element.code,
            "name": element.name,
            "form_name": element.form_name,
            "value_type": element.value_type,
            "option_set": id_of(element.option_set),
            "compulsory": asked.compulsory,
            "sort_order": asked.sort_order,
        }


def _attributes(program: e.Program) -> Iterable[Row]:
    for asked in program.program_tracked_entity_attributes:
        attribute = asked.tracked_entity_attribute
        yield {
            "program": program.id,
            "attribute": attribute.id,
            "code": attribute.code,
            "name": attribute.name,
            "value_type": attribute.value_type,
            "option_set": id_of(attribute.option_set),
            "unique": attribute.unique,
            "mandatory": asked.mandatory,
            "confidential": attribute.confidential,
            "sort_order": asked.sort_order,
        }


def _options(option_set: e.OptionSet) -> Iterable[Row]:
    for option in filter(None, option_set.options):
        yield {
            "option_set": option_set.id,
            "code": option.code,
            "option_set_name": option_set.name,
            "name": option.name,
            "sort_order": option.sort_order,
        }


TRACKER_TABLES = (
    MetadataTable(
        "programs",
        "programs",
        "id,code,name,shortName,programType,trackedEntityType[id],lastUpdated",
        _PROGRAM_COLUMNS,
        e.Program,
        plain(_PROGRAM_COLUMNS),
    ),
    MetadataTable(
        "program_stages",
        "programStages",
        "id,name,program[id],repeatable,sortOrder,lastUpdated",
        _STAGE_COLUMNS,
        e.ProgramStage,
        plain(_STAGE_COLUMNS),
    ),
    MetadataTable(
        "program_stage_data_elements",
        "programStages",
        "id,program[id],programStageDataElements[compulsory,sortOrder,"
        "dataElement[id,code,name,formName,valueType,optionSet[id]]]",
        (
            "program_stage",
            "data_element",
            "program",
            "code",
            "name",
            "form_name",
            "value_type",
            "option_set",
            "compulsory",
            "sort_order",
        ),
        e.ProgramStage,
        _stage_elements,
    ),
    MetadataTable(
        "program_attributes",
        "programs",
        "id,programTrackedEntityAttributes[mandatory,sortOrder,"
        "trackedEntityAttribute[id,code,name,valueType,unique,confidential,optionSet[id]]]",
        (
            "program",
            "attribute",
            "code",
            "name",
            "value_type",
            "option_set",
            "unique",
            "mandatory",
            "confidential",
            "sort_order",
        ),
        e.Program,
        _attributes,
    ),
    MetadataTable(
        "options",
        "optionSets",
        "id,name,options[code,name,sortOrder]",
        ("option_set", "code", "option_set_name", "name", "sort_order"),
        e.OptionSet,
        _options,
    ),
)
