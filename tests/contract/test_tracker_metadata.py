"""The five registries that say what a tracker's programmes and fields mean."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from stub_http import Asked, Connect, Stub, as_json

from hic_assets.extract.dhis2 import metadata
from hic_assets.extract.dhis2.metadata_tables import TABLES
from hic_assets.systems.dhis2_tracker import REGISTRY_COLUMNS

INFO = {"version": "2.42.5.2", "calendar": "iso8601", "systemId": "s", "serverTimeZoneId": "Etc/UTC"}
OBJECTS: dict[str, list[dict[str, Any]]] = {
    "programs": [
        {
            "id": "HivPrgRw001",
            "code": "HIV",
            "name": "HIV care",
            "shortName": "HIV",
            "programType": "WITH_REGISTRATION",
            "trackedEntityType": {"id": "Person00001"},
            "lastUpdated": "2025-01-01T00:00:00.000",
            "programTrackedEntityAttributes": [
                {
                    "mandatory": True,
                    "sortOrder": 1,
                    "trackedEntityAttribute": {
                        "id": "SexAttr0001",
                        "code": "SEX",
                        "name": "Sex",
                        "valueType": "TEXT",
                        "unique": False,
                        "confidential": False,
                        "optionSet": {"id": "SexSet00001"},
                    },
                },
                {"mandatory": False, "sortOrder": 2},
            ],
        },
        {"id": "EventPrg001", "name": "Without", "programType": "WITHOUT_REGISTRATION"},
    ],
    "programStages": [
        {
            "id": "HivStg00001",
            "name": "Visit",
            "program": {"id": "HivPrgRw001"},
            "repeatable": True,
            "sortOrder": 2,
            "lastUpdated": "2025-01-01T00:00:00.000",
            "programStageDataElements": [
                {
                    "compulsory": True,
                    "sortOrder": 3,
                    "dataElement": {
                        "id": "WeightElem1",
                        "code": "WT",
                        "name": "Weight (kg)",
                        "formName": "Weight",
                        "valueType": "NUMBER",
                    },
                }
            ],
        }
    ],
    "optionSets": [
        {
            "id": "SexSet00001",
            "name": "Sex",
            # Where numbers of the order are missing, DHIS2 has nulls.
            "options": [{"code": "F", "name": "Female", "sortOrder": 1}, None, {"code": "M", "name": "Male"}],
        }
    ],
}
ROWS: dict[str, list[tuple[str | None, ...]]] = {
    "programs": [
        ("HivPrgRw001", "HIV", "HIV care", "HIV", "WITH_REGISTRATION", "Person00001", "2025-01-01T00:00:00.000"),
        ("EventPrg001", None, "Without", None, "WITHOUT_REGISTRATION", None, None),
    ],
    "program_stages": [("HivStg00001", "HivPrgRw001", "Visit", "true", "2", "2025-01-01T00:00:00.000")],
    "program_stage_data_elements": [
        ("HivStg00001", "WeightElem1", "HivPrgRw001", "WT", "Weight (kg)", "Weight", "NUMBER", None, "true", "3")
    ],
    "program_attributes": [
        ("HivPrgRw001", "SexAttr0001", "SEX", "Sex", "TEXT", "SexSet00001", "false", "true", "false", "1"),
        # An attribute the account may not see: the contract of the table refuses it, and it shows.
        ("HivPrgRw001", None, None, None, None, None, None, "false", None, "2"),
    ],
    "options": [("SexSet00001", "F", "Sex", "Female", "1"), ("SexSet00001", "M", "Sex", "Male", None)],
}


@pytest.mark.parametrize("table", ROWS)
def test_rows_of_a_registry(stub: Stub, connect: Connect, table: str) -> None:
    def answer(asked: Asked) -> Any:
        resource = asked.path.rsplit("/", 1)[1]
        return as_json(INFO if asked.path == "/api/system/info" else {resource: OBJECTS[resource]})

    stub.answer = answer
    stream = getattr(metadata, table)(connect())
    batches = list(stream)
    assert all(batch.rejects is None for batch in batches)
    assert pl.concat([batch.frame for batch in batches]).rows() == ROWS[table]
    assert stream.columns == REGISTRY_COLUMNS[table]
    (asked,) = [one for one in stub.asked if one.path != "/api/system/info"]
    assert asked.one("paging") == "false"


def test_every_declared_registry_has_a_reader() -> None:
    assert {name: TABLES[name].columns for name in REGISTRY_COLUMNS} == dict(REGISTRY_COLUMNS)
    assert all(callable(getattr(metadata, name)) for name in REGISTRY_COLUMNS)
