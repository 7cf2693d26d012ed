"""Which metadata becomes which raw table, and how an object becomes rows. Pure; `metadata.py` reads.

What only trackers have is in `metadata_tracker.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from hic_assets.extract.dhis2 import envelopes as e
from hic_assets.extract.dhis2.metadata_rows import MetadataTable, Row, id_of, name_of, plain
from hic_assets.extract.dhis2.metadata_tracker import TRACKER_TABLES

__all__ = ["ORGANISATION_UNITS", "TABLES", "MetadataTable", "Row", "point_of"]


def _group_members(group: e.Group) -> Iterable[Row]:
    sets: list[e.Ref | None] = [*group.group_sets] or [None]
    for group_set in sets:
        for unit in group.organisation_units:
            yield {
                "group_set": id_of(group_set),
                "group_set_name": name_of(group_set),
                "group_id": group.id,
                "group_code": group.code,
                "group_name": group.name,
                "org_unit": unit.id,
            }


def _option_combos(combo: e.CategoryOptionCombo) -> Iterable[Row]:
    yield {
        "id": combo.id,
        "code": combo.code,
        "name": combo.name,
        "category_combo": id_of(combo.category_combo),
        "category_combo_name": name_of(combo.category_combo),
        "last_updated": combo.last_updated,
    }


def _option_combo_options(combo: e.CategoryOptionCombo) -> Iterable[Row]:
    """One row an option, with the category it stands for: the one of the combo's own that uses it."""
    own = {c.id: c for c in combo.category_combo.categories} if combo.category_combo else {}
    for option in combo.category_options:
        category = next((own[c.id] for c in option.categories if c.id and c.id in own), None)
        yield {
            "category_option_combo": combo.id,
            "category_option": option.id,
            "category_option_code": option.code,
            "category_option_name": option.name,
            "category": id_of(category),
            "category_name": name_of(category),
        }


def _data_set_elements(data_set: e.DataSet) -> Iterable[Row]:
    for element in data_set.data_set_elements:
        yield {
            "data_set": data_set.id,
            "data_element": element.data_element.id,
            "category_combo": id_of(element.category_combo),
        }


def _data_set_org_units(data_set: e.DataSet) -> Iterable[Row]:
    for unit in data_set.organisation_units:
        yield {"data_set": data_set.id, "org_unit": unit.id}


_UNIT_COLUMNS = (
    "id",
    "code",
    "name",
    "short_name",
    "level",
    "path",
    "parent",
    "opening_date",
    "closed_date",
    "longitude",
    "latitude",
    "last_updated",
)
_ELEMENT_COLUMNS = (
    "id",
    "code",
    "name",
    "short_name",
    "domain_type",
    "value_type",
    "aggregation_type",
    "zero_is_significant",
    "category_combo",
    "last_updated",
)
_DATA_SET_COLUMNS = (
    "id",
    "code",
    "name",
    "short_name",
    "period_type",
    "category_combo",
    "timely_days",
    "expiry_days",
    "open_future_periods",
    "last_updated",
)
_INDICATOR_COLUMNS = (
    "id",
    "code",
    "name",
    "short_name",
    "description",
    "indicator_type",
    "factor",
    "annualized",
    "decimals",
    "numerator",
    "numerator_description",
    "denominator",
    "denominator_description",
    "last_updated",
)


def _units(unit: e.OrganisationUnit) -> Iterable[Row]:
    """Without longitude and latitude: geometry is a request of its own."""
    yield from plain(tuple(c for c in _UNIT_COLUMNS if c not in {"longitude", "latitude"}))(unit)


def _indicators(indicator: e.Indicator) -> Iterable[Row]:
    rows = plain(tuple(c for c in _INDICATOR_COLUMNS if c != "factor"))
    kind = indicator.indicator_type
    yield from ({**row, "factor": None if kind is None else kind.factor} for row in rows(indicator))


ORGANISATION_UNITS = MetadataTable(
    "organisation_units",
    "organisationUnits",
    "id,code,name,shortName,level,path,parent[id],openingDate,closedDate,lastUpdated",
    _UNIT_COLUMNS,
    e.OrganisationUnit,
    _units,
)

TABLES: Mapping[str, MetadataTable] = {
    table.name: table
    for table in (
        ORGANISATION_UNITS,
        MetadataTable(
            "organisation_unit_levels",
            "organisationUnitLevels",
            "id,level,name",
            ("level", "name"),
            e.Level,
            plain(("level", "name")),
        ),
        MetadataTable(
            "organisation_unit_group_members",
            "organisationUnitGroups",
            "id,code,name,groupSets[id,name],organisationUnits[id]",
            ("group_set", "group_set_name", "group_id", "group_code", "group_name", "org_unit"),
            e.Group,
            _group_members,
        ),
        MetadataTable(
            "data_elements",
            "dataElements",
            "id,code,name,shortName,domainType,valueType,aggregationType,zeroIsSignificant,"
            "categoryCombo[id],lastUpdated",
            _ELEMENT_COLUMNS,
            e.DataElement,
            plain(_ELEMENT_COLUMNS),
        ),
        MetadataTable(
            "category_option_combos",
            "categoryOptionCombos",
            "id,code,name,categoryCombo[id,name],lastUpdated",
            ("id", "code", "name", "category_combo", "category_combo_name", "last_updated"),
            e.CategoryOptionCombo,
            _option_combos,
        ),
        MetadataTable(
            "category_option_combo_options",
            "categoryOptionCombos",
            "id,categoryCombo[id,categories[id,name]],categoryOptions[id,code,name,categories[id,name]]",
            (
                "category_option_combo",
                "category_option",
                "category_option_code",
                "category_option_name",
                "category",
                "category_name",
            ),
            e.CategoryOptionCombo,
            _option_combo_options,
        ),
        MetadataTable(
            "data_sets",
            "dataSets",
            "id,code,name,shortName,periodType,categoryCombo[id],timelyDays,expiryDays,openFuturePeriods,lastUpdated",
            _DATA_SET_COLUMNS,
            e.DataSet,
            plain(_DATA_SET_COLUMNS),
        ),
        MetadataTable(
            "data_set_elements",
            "dataSets",
            "id,dataSetElements[dataElement[id],categoryCombo[id]]",
            ("data_set", "data_element", "category_combo"),
            e.DataSet,
            _data_set_elements,
        ),
        MetadataTable(
            "data_set_org_units",
            "dataSets",
            "id,organisationUnits[id]",
            ("data_set", "org_unit"),
            e.DataSet,
            _data_set_org_units,
        ),
        MetadataTable(
            "indicators",
            "indicators",
            "id,code,name,shortName,description,indicatorType[id,name,factor],annualized,decimals,numerator,"
            "numeratorDescription,denominator,denominatorDescription,lastUpdated",
            _INDICATOR_COLUMNS,
            e.Indicator,
            _indicators,
        ),
        MetadataTable(
            "constants",
            "constants",
            "id,code,name,value",
            ("id", "code", "name", "value"),
            e.Constant,
            plain(("id", "code", "name", "value")),
        ),
        *TRACKER_TABLES,
    )
}


def point_of(place: e.Place) -> tuple[str, str] | None:
    """(longitude, latitude) as text, of a Point only; an area has no one place."""
    pair: Any = None
    if place.geometry is not None:
        pair = place.geometry.get("coordinates") if place.geometry.get("type") == "Point" else None
    elif place.coordinates:
        try:
            pair = json.loads(place.coordinates)
        except ValueError:
            pair = None
    if not isinstance(pair, list) or len(pair) < 2 or any(isinstance(part, list) for part in pair):
        return None
    longitude, latitude = e.as_text(pair[0]), e.as_text(pair[1])
    return (longitude, latitude) if longitude is not None and latitude is not None else None
