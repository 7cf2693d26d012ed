"""The metadata of the country as DHIS2 objects: plain dictionaries, every field a client may ask for.

Belongs here: the shape of organisationUnits, dataElements, dataSets and the rest. Does not belong here: paging,
filters and field selection (see ``server.metadata``). Source: contract 1.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hic_assets.sandbox.world import catalogue, geography, indicators
from hic_assets.sandbox.world.facilities import OWNERS, TYPE_NAMES, Facility
from hic_assets.sandbox.world.hashing import uid
from hic_assets.sandbox.world.roster import utc

if TYPE_CHECKING:
    from hic_assets.sandbox.world.country import World

Object = dict[str, Any]
SETTLED = "2021-12-15T10:00:00.000"
GROUP_SETS = {"Facility type": TYPE_NAMES, "Ownership": OWNERS}
# a group of no group set: the facilities of a pilot
PILOT = "PBF_PILOT"


def _object(kind: str, code: str, name: str, own: str | None = None, **more: Any) -> Object:
    return {
        "id": own or uid(kind, code),
        "code": code,
        "name": name,
        "displayName": name,
        "shortName": name[:50],
        "created": SETTLED,
        "lastUpdated": SETTLED,
        **more,
    }


def _stamp(world: World, ms: int) -> str:
    """Server-local time without an offset (contract 1.10)."""
    return utc(ms).astimezone(world.timezone).strftime("%Y-%m-%dT%H:%M:%S.000")


def organisation_units(world: World) -> list[Object]:
    """Levels 1 to 6; facilities that are not listed are left out. Empty codes are absent keys."""
    found = [
        _object(
            "orgUnit",
            u.code,
            u.name,
            u.uid,
            level=u.level,
            path=u.path,
            parent={"id": u.parent} if u.parent else None,
            openingDate=f"{u.opening_date}T00:00:00.000",
            leaf=False,
        )
        for u in geography.tree()
    ]
    found += [_facility(world, f) for f in world.facilities if f.listed]
    by_id = {o["id"]: o for o in found}
    for unit in found:
        unit["children"] = []
        unit["organisationUnitGroups"] = []
        unit["ancestors"] = [{"id": p} for p in unit["path"].split("/")[1:-1]]
    for unit in found:
        if unit.get("parent"):
            by_id[unit["parent"]["id"]]["children"].append({"id": unit["id"]})
    for group in organisation_unit_groups(world):
        for member in group["organisationUnits"]:
            by_id[member["id"]]["organisationUnitGroups"].append({"id": group["id"], "name": group["name"]})
    return [{k: v for k, v in unit.items() if v is not None} for unit in found]


def _facility(world: World, f: Facility) -> Object:
    stamp = world.metadata_stamps.get(f.uid)
    made = _object(
        "facility",
        f.code or "",
        f.name,
        f.uid,
        level=6,
        path=world.path(f),
        parent={"id": f.sector},
        openingDate=f"{f.opening_date}T00:00:00.000",
        description=f"FOSAID: {f.code or ''} TYPE: {f.type}",
        leaf=True,
    )
    made["code"] = f.code
    if stamp is not None:
        made["lastUpdated"] = _stamp(world, stamp)
    if f.closed_date:
        made["closedDate"] = f"{f.closed_date}T00:00:00.000"
    if f.longitude is not None:
        made["geometry"] = {"type": "Point", "coordinates": [f.longitude, f.latitude]}
    return made


def organisation_unit_levels(_: World) -> list[Object]:
    """The six levels by name."""
    return [_object("level", name, name, level=i) for i, name in enumerate(geography.LEVELS, 1)]


def organisation_unit_groups(world: World) -> list[Object]:
    """One group a facility type, one an ownership, and one that belongs to no group set."""
    members: dict[str, list[Object]] = {code: [] for codes in GROUP_SETS.values() for code in codes}
    members[PILOT] = []
    for facility in world.facilities:
        if facility.listed:
            if facility.typed:
                members[facility.type].append({"id": facility.uid})
            members[facility.ownership].append({"id": facility.uid})
            if facility.form == "centre" and facility.key % 5 == 0:
                members[PILOT].append({"id": facility.uid})
    named = [(s, c, n) for s, codes in GROUP_SETS.items() for c, n in codes.items()]
    made = [
        _object("orgUnitGroup", c, n, organisationUnits=members[c], groupSets=[{"id": uid("groupSet", s), "name": s}])
        for s, c, n in named
    ]
    return [*made, _object("orgUnitGroup", PILOT, "PBF pilot", organisationUnits=members[PILOT], groupSets=[])]


def organisation_unit_group_sets(_: World) -> list[Object]:
    """Facility type and Ownership."""
    return [
        _object(
            "groupSet",
            name,
            name,
            compulsory=True,
            organisationUnitGroups=[{"id": uid("orgUnitGroup", c), "code": c, "name": n} for c, n in codes.items()],
        )
        for name, codes in GROUP_SETS.items()
    ]


def _combo_uid(combo: str) -> str:
    return uid("categoryCombo", combo)


def data_elements(_: World) -> list[Object]:
    """Every data element."""
    return [
        _object(
            "dataElement",
            e.code,
            e.name,
            e.uid,
            formName=e.name_en,
            domainType="AGGREGATE",
            valueType=e.value_type,
            aggregationType=e.aggregation,
            zeroIsSignificant=e.zero_is_significant,
            categoryCombo={"id": _combo_uid(e.combo)},
            dataElementGroups=[],
        )
        for e in (*catalogue.data_elements(), *catalogue.weekly_elements())
    ]


def category_option_combos(_: World) -> list[Object]:
    """Every category option combo with its options; the default one is Rwanda's own."""
    return [
        _object(
            "coc",
            f"{combo}_{c.code}" if combo != "DEFAULT" else "default",
            c.name,
            c.uid,
            categoryCombo={
                "id": _combo_uid(combo),
                "name": catalogue.COMBOS[combo][0],
                "categories": [_category(cat) for cat in (catalogue.COMBOS[combo][1] or ["default"])],
            },
            categoryOptions=_options(c),
        )
        for combo in catalogue.COMBOS
        for c in catalogue.option_combos(combo)
    ]


def _options(combo: catalogue.OptionCombo) -> list[Object]:
    if not combo.options:
        default = {"id": uid("categoryOption", "default"), "code": "default", "name": "default"}
        return [default | {"categories": [_category("default")]}]
    names = {(cat, code): name for cat, options in catalogue.CATEGORIES.items() for code, name, _ in options}
    return [
        {
            "id": uid("categoryOption", cat, code),
            "code": f"{cat}_{code}",
            "name": names[cat, code],
            "categories": [_category(cat)],
        }
        for cat, code in combo.options
    ]


def _category(code: str) -> Object:
    """A category as it stands inside other objects."""
    return {"id": uid("category", code), "name": code if code == "default" else code.replace("_", " ").title()}


def category_combos(_: World) -> list[Object]:
    """Category combos with their categories and option combos."""
    return [
        _object(
            "categoryCombo",
            code,
            name,
            dataDimensionType="DISAGGREGATION",
            categories=[{"id": uid("category", c)} for c in (categories or ["default"])],
            categoryOptionCombos=[{"id": c.uid} for c in catalogue.option_combos(code)],
        )
        for code, (name, categories) in catalogue.COMBOS.items()
    ]


def categories(_: World) -> list[Object]:
    """Categories with their options, in order."""
    default = [{"id": uid("categoryOption", "default"), "code": "default", "name": "default"}]
    made = [_object("category", "default", "default", categoryOptions=default)]
    for category, options in catalogue.CATEGORIES.items():
        listed = [
            {"id": uid("categoryOption", category, code), "code": f"{category}_{code}", "name": name}
            for code, name, _ in options
        ]
        made.append(_object("category", category, category.replace("_", " ").title(), categoryOptions=listed))
    return made


def data_sets(world: World) -> list[Object]:
    """Data sets with their elements and the organisation units they are assigned to."""
    made = []
    for code, (english, french, period_type, forms, timely) in catalogue.DATA_SETS.items():
        units = [{"id": f.uid} for f in world.facilities if f.listed and f.form in forms]
        if period_type == "Yearly":
            units += [{"id": u.uid} for u in geography.tree() if u.level == 3]
        elements = [
            {
                "dataElement": {"id": e.uid},
                "categoryCombo": {"id": _combo_uid(e.combo)},
                "dataSet": {"id": catalogue.data_set_uid(code)},
            }
            for e in catalogue.data_set_elements(code)
        ]
        made.append(
            _object(
                "dataSet",
                code,
                f"{english} / {french}",
                periodType=period_type,
                categoryCombo={"id": _combo_uid("DEFAULT")},
                timelyDays=float(timely),
                expiryDays=0.0,
                openFuturePeriods=0,
                dataSetElements=elements,
                organisationUnits=units,
            )
        )
    return made


def indicator_types(_: World) -> list[Object]:
    """Indicator types and their factors."""
    return [
        _object("indicatorType", code, name, factor=factor, number=factor == 1)
        for code, (name, factor) in indicators.TYPES.items()
    ]


def indicator_list(_: World) -> list[Object]:
    """Indicators with their expressions."""
    return [
        _object(
            "indicator",
            i.code,
            i.name,
            i.uid,
            description=f"{i.numerator_description} / {i.denominator_description}",
            indicatorType={
                "id": uid("indicatorType", i.type),
                "name": indicators.TYPES[i.type][0],
                "factor": indicators.TYPES[i.type][1],
            },
            annualized=i.annualized,
            decimals=i.decimals,
            numerator=i.numerator,
            numeratorDescription=i.numerator_description,
            denominator=i.denominator,
            denominatorDescription=i.denominator_description,
        )
        for i in indicators.indicators()
    ]


def constants(_: World) -> list[Object]:
    """Constants that expressions use."""
    return [_object("constant", code, name, value=value) for code, (name, value) in indicators.CONSTANTS.items()]


RESOURCES: dict[str, Callable[[World], list[Object]]] = {
    "organisationUnits": organisation_units,
    "organisationUnitLevels": organisation_unit_levels,
    "organisationUnitGroups": organisation_unit_groups,
    "organisationUnitGroupSets": organisation_unit_group_sets,
    "dataElements": data_elements,
    "categoryOptionCombos": category_option_combos,
    "categoryCombos": category_combos,
    "categories": categories,
    "dataSets": data_sets,
    "indicators": indicator_list,
    "indicatorTypes": indicator_types,
    "constants": constants,
}
