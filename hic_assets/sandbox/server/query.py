"""What a request for data values or registrations asks for, after the server's own validation.

Belongs here: parameters to a plan, and the 409s. Source: contract 1.3, 1.4, 1.10, 1.11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from starlette.datastructures import QueryParams

from hic_assets.sandbox.server.dialect import Dialect
from hic_assets.sandbox.server.replies import ApiError
from hic_assets.sandbox.world import World, catalogue, geography
from hic_assets.sandbox.world.indicators import group_uid
from hic_assets.sandbox.world.registry import organisation_unit_groups
from hic_assets.sandbox.world.roster import millis, next_month

MESSAGES = {
    "E2001": "At least one data element, data set or data element group must be specified",
    "E2002": "At least one period, start/end dates, last updated or last updated duration must be specified",
    "E2003": "Both periods and start/end date cannot be specified",
    "E2004": "Start date must be before end date",
    "E2006": "At least one organisation unit or organisation unit group must be specified",
    "E2007": "Organisation unit children cannot be included for organisation unit groups",
    "E2013": "At least one data set must be specified",
}
_UID = re.compile(r"^[a-zA-Z][a-zA-Z0-9]{10}$")
_DURATION = re.compile(r"^(\d+)(d|h|m|s)$")
_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000}


def conflict(code: str, message: str | None = None) -> ApiError:
    """The 409 of an illegal query."""
    return ApiError(409, code, message or MESSAGES[code])


@dataclass
class Plan:
    """What to read: data elements (uids), months, weeks (by their Monday) and years, and the organisation units."""

    data_sets: list[str]
    elements: frozenset[str]
    months: list[date]
    weeks: list[date]
    years: list[int]
    org_units: list[str]
    since: int | None = None
    include_deleted: bool = False
    limit: int | None = None
    offset: int = 0
    roots: dict[str, str] = field(default_factory=dict)


def plan(params: QueryParams, world: World, dialect: Dialect, *, everywhere: bool = False) -> Plan:
    """The plan of a dataValueSets request; ApiError 409 when it is illegal."""
    if dialect.hoists:
        _require_uids(params)
    data_sets, elements = _elements(params)
    periods, dated = params.getlist("period"), "startDate" in params and "endDate" in params
    since = _since(params, world, dialect)
    if periods and dated and dialect.hoists:
        raise conflict("E2003")
    if not periods and not dated and (since is None or dialect.last_updated_needs_period):
        raise conflict("E2002")
    months, weeks, years = _periods(params, world)
    weekly = frozenset(e.uid for e in catalogue.weekly_elements())
    limit = int(params["limit"]) if "limit" in params else None
    if limit is not None and limit < 0:
        raise conflict("E2009", f"Limit cannot be less than zero: `{limit}`")
    units = _org_units(params, world)
    if everywhere:
        units = [f.uid for f in world.facilities] + [u.uid for u in geography.tree() if u.level == 3]
    return Plan(
        data_sets=data_sets,
        elements=elements,
        months=months if elements - weekly else [],
        weeks=weeks if elements & weekly else [],
        years=years,
        org_units=units,
        since=since,
        include_deleted=params.get("includeDeleted") == "true",
        limit=limit,
        offset=int(params.get("offset", "0")) if dialect.hoists else 0,
        roots=_roots(params),
    )


def _require_uids(params: QueryParams) -> None:
    for name in ("dataSet", "dataElement", "dataElementGroup", "orgUnit", "orgUnitGroup", "attributeOptionCombo"):
        for text in params.getlist(name):
            if not _UID.match(text):
                raise ApiError(
                    400, None, f"Value '{text}' is not valid for parameter {name}. UID must be 11 characters"
                )


def _elements(params: QueryParams) -> tuple[list[str], frozenset[str]]:
    known = {catalogue.data_set_uid(code): code for code in catalogue.DATA_SETS}
    data_sets = [uid for uid in params.getlist("dataSet") if uid in known]
    elements = {e.uid for uid in data_sets for e in catalogue.data_set_elements(known[uid])}
    elements |= {uid for uid in params.getlist("dataElement") if uid in catalogue.by_uid()}
    if not elements:
        raise conflict("E2001")
    return data_sets, frozenset(elements)


def _org_units(params: QueryParams, world: World) -> list[str]:
    """The organisation units whose values are asked for; unknown ones are dropped while one is known."""
    known = [u for u in params.getlist("orgUnit") if u in world.position or u in geography.by_uid()]
    groups, children = params.getlist("orgUnitGroup"), params.get("children") == "true"
    if groups and children:
        raise conflict("E2007")
    if not known and not groups:
        raise conflict("E2006")
    members = {g["id"]: g["organisationUnits"] for g in organisation_unit_groups(world)} if groups else {}
    found = dict.fromkeys(m["id"] for g in groups for m in members.get(g, members.get(group_uid(g), [])))
    for unit in known:
        found[unit] = None
        if children:
            found |= dict.fromkeys(world.inside(unit))
            path = geography.by_uid()[unit].path if unit in geography.by_uid() else None
            found |= dict.fromkeys(u.uid for u in geography.tree() if path and u.path.startswith(path))
    return list(found)


def _periods(params: QueryParams, world: World) -> tuple[list[date], list[date], list[int]]:
    months, weeks, years = [], [], []
    if params.getlist("period"):
        for text in params.getlist("period"):
            if match := re.fullmatch(r"(\d{4})-?(\d{2})", text):
                if 1 <= int(match.group(2)) <= 12:
                    months.append(date(int(match.group(1)), int(match.group(2)), 1))
            elif match := re.fullmatch(r"(\d{4})W(\d{1,2})", text):
                weeks += _week(int(match.group(1)), int(match.group(2)))
            elif re.fullmatch(r"\d{4}", text):
                years.append(int(text))
        if not months and not weeks and not years and "lastUpdated" not in params:
            raise conflict("E2002")
        return list(dict.fromkeys(months)), list(dict.fromkeys(weeks)), list(dict.fromkeys(years))
    if "startDate" not in params or "endDate" not in params:
        begin, end = date(1970, 1, 1), date(2100, 12, 31)
    else:
        begin, end = _day(params["startDate"]), _day(params["endDate"])
    if begin > end:
        raise conflict("E2004")
    inside = [m for m in world.months() if m >= begin and next_month(m) <= end + timedelta(days=1)]
    within = [w for w in world.weeks() if w >= begin and w + timedelta(days=6) <= end]
    span = range(world.first_month.year - 2, world.today.year + 1)
    return inside, within, [y for y in span if date(y, 1, 1) >= begin and date(y, 12, 31) <= end]


def _week(year: int, number: int) -> list[date]:
    """The Monday of an ISO week, padded or not; none where the year has no such week."""
    try:
        return [date.fromisocalendar(year, number, 1)]
    except ValueError:
        return []


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise ApiError(400, None, f"Value '{text}' is not valid for a date. It should be valid: yyyy-MM-dd") from None


def created_since(params: QueryParams, world: World) -> int | None:
    """The ``created`` or ``createdDuration`` threshold of registrations (ms UTC)."""
    if "created" in params:
        return _moment(params["created"], world)
    match = _DURATION.match(params.get("createdDuration", ""))
    return world.now_ms - int(match.group(1)) * _UNITS[match.group(2)] if match else None


def _since(params: QueryParams, world: World, dialect: Dialect) -> int | None:
    """The lastUpdated threshold as the database compares it; up to 2.42 moved by the server's UTC offset."""
    if "lastUpdated" in params:
        moment = _moment(params["lastUpdated"], world)
    elif "lastUpdatedDuration" in params:
        match = _DURATION.match(params["lastUpdatedDuration"])
        if match is None:
            if dialect.hoists:
                return None
            raise conflict("E2005", f"Duration is not valid: `{params['lastUpdatedDuration']}`")
        moment = world.now_ms - int(match.group(1)) * _UNITS[match.group(2)]
    else:
        return None
    return moment - world.utc_offset(moment) if dialect.shifts_last_updated else moment


def _moment(text: str, world: World) -> int:
    """A date with or without time and offset; without an offset it is server-local. A bare + may arrive as a space."""
    text = re.sub(r" (\d{2}:?\d{2})$", r"+\1", text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, None, f"Value '{text}' is not valid for parameter lastUpdated.") from None
    return millis(moment if moment.tzinfo else moment.replace(tzinfo=world.timezone))


def _roots(params: QueryParams) -> dict[str, str]:
    """The key fields that are the same for the whole request."""
    roots = {}
    for name in ("dataSet", "period", "attributeOptionCombo"):
        if len(params.getlist(name)) == 1:
            roots[name] = params[name]
    if len(params.getlist("orgUnit")) == 1 and params.get("children") != "true" and "orgUnitGroup" not in params:
        roots["orgUnit"] = params["orgUnit"]
    return roots
