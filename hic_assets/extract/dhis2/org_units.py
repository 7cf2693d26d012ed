"""The organisation unit tree as far as slicing needs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.envelopes import Envelope
from hic_assets.extract.dhis2.slices import OrgUnit
from hic_assets.extract.errors import UnexpectedContent

_PATH = "api/organisationUnits"


class _Unit(Envelope):
    id: str
    name: str | None = None
    level: int = 0


_UNITS = TypeAdapter(list[_Unit])


def units_to_level(client: Dhis2Client, level: int) -> list[OrgUnit]:
    """All units from the root down to `level`, ordered by level and id; asked once a client.

    Raises SourceError; UnexpectedContent when the account sees none, since a pull would then cover nothing.
    """
    if level not in client.units:
        client.units[level] = _ask(client, level)
    return client.units[level]


def _ask(client: Dhis2Client, level: int) -> list[OrgUnit]:
    params = [("fields", "id,name,level"), ("filter", f"level:le:{level}"), ("paging", "false")]
    url = client.http.url(_PATH, params)
    found = _units(client, url, client.http.get_json(_PATH, params).get("organisationUnits"))
    if not found:
        what = f"the account sees no organisation unit at levels 1 to {level}"
        raise UnexpectedContent(client.system, url, what, advice="Let it view the data of the country's root.")
    units = [OrgUnit(unit.id, unit.name or unit.id, unit.level) for unit in found]
    if not all(1 <= unit.level <= level for unit in units):
        # Slices of units of unknown depth would overlap or leave gaps.
        raise UnexpectedContent(client.system, url, f"units came that are not at levels 1 to {level}")
    return sorted(units, key=lambda unit: (unit.level, unit.id))


def children_of(client: Dhis2Client, unit: OrgUnit) -> Sequence[OrgUnit]:
    """The units directly below, ordered by id."""
    path, params = f"{_PATH}/{unit.id}", [("fields", "children[id,name]")]
    body = client.http.get_json(path, params)
    found = _units(client, client.http.url(path, params), body.get("children", []))
    children = [OrgUnit(child.id, child.name or child.id, unit.level + 1) for child in found]
    return sorted(children, key=lambda child: child.id)


def _units(client: Dhis2Client, url: str, found: Any) -> list[_Unit]:
    fault = ""
    try:
        return _UNITS.validate_python(found)
    except ValidationError as exc:
        fault = exc.errors()[0]["msg"]
    raise UnexpectedContent(client.system, url, f"these are no organisation units ({fault})")
