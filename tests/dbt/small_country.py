"""A country of four facilities in two districts, small enough to compute every figure by hand.

Belongs here: its rows, as landed. Does not belong here: what dbt should make of them (the tests say that).
"""

from __future__ import annotations

from typing import Any

import psycopg
from raw_tables import create_tables, insert

JAN, FEB = "2024-01-01", "2024-02-01"
COUNTRY, KIGALI, EAST = "RwandaRoot1", "ProvKigali1", "ProvEaster1"
GASABO, BUGESERA = "DistGasabo1", "DistBugese1"
KIBAGABAGA, REMERA, NYAMATA, CLOSED = "FacKibagab1", "FacRemera01", "FacNyamata1", "FacClosed01"
ANC1, ANC4, POPULATION, BEDS, PEAK = "DeAnc1Visit", "DeAnc4Visit", "DePopulatio", "DeBedsAvera", "DePeakOccup"
REMARK, POWER, NIGHTS = "DeRemarkTxt", "DePowerBool", "DeNightsNon"
YOUNG, OLD, DEFAULT = "CocUnder20F", "CocOver20F1", "CocDefault1"
HMIS, EPI, YEARLY = "DsHmisMonth", "DsEpiMonth1", "DsPopYearly"
HC_GROUP = "GrpHealthCe"

Row = dict[str, Any]

_UNITS: list[tuple[str, str | None, str, int, str | None]] = [
    (COUNTRY, "RW", "Rwanda", 1, None),
    (KIGALI, "1", "City of Kigali", 2, COUNTRY),
    (EAST, "5", "Eastern  Province ", 2, COUNTRY),
    (GASABO, None, "Gasabo District", 3, KIGALI),
    (BUGESERA, None, "BUGESERA", 3, EAST),
    ("SubGasabo01", None, "Kibagabaga catchment", 4, GASABO),
    ("SubBugese01", None, "Nyamata catchment", 4, BUGESERA),
    ("SectRemera1", None, "Remera", 5, "SubGasabo01"),
    ("SectNyamat1", None, "Nyamata", 5, "SubBugese01"),
    (KIBAGABAGA, "22", "Kibagabaga", 6, "SectRemera1"),
    (REMERA, "0440", "Remera", 6, "SectRemera1"),
    (NYAMATA, " 454.0", "Nyamata", 6, "SectNyamat1"),
    (CLOSED, "HP-X", "Gone health post", 6, "SectNyamat1"),
]
_PLACES = {KIBAGABAGA: ("30.11", "-1.93"), REMERA: ("0", "0"), NYAMATA: ("30.09", "north")}
_DATES = {KIBAGABAGA: ("2006-05-01", None), NYAMATA: ("2024-02-15", None), CLOSED: ("2019-01-01", "2023-12-31")}


def organisation_units() -> list[Row]:
    """All units, paths derived from the parents."""
    paths: dict[str | None, str] = {None: ""}
    rows = []
    for uid, code, name, level, parent in _UNITS:
        paths[uid] = f"{paths[parent]}/{uid}"
        longitude, latitude = _PLACES.get(uid, (None, None))
        opening, closed = _DATES.get(uid, ("2000-01-01", None))
        rows.append(
            {
                "id": uid,
                "code": code,
                "name": name,
                "level": str(level),
                "path": paths[uid],
                "parent": parent,
                "opening_date": f"{opening}T00:00:00.000",
                "closed_date": closed and f"{closed}T00:00:00.000",
                "longitude": longitude,
                "latitude": latitude,
            }
        )
    return rows


def _groups() -> list[Row]:
    def member(group_set: str, code: str | None, name: str, unit: str) -> Row:
        return {
            "group_set": group_set[:11].replace(" ", "0"),
            "group_set_name": group_set,
            "group_id": HC_GROUP if name == "Health Centre" else f"G{name}"[:11].replace(" ", "0"),
            "group_code": code,
            "group_name": name,
            "org_unit": unit,
        }

    return [
        member("Facility type", "DH", "District hospital", KIBAGABAGA),
        member("Facility type", None, "Health Centre", REMERA),
        member("Facility type", None, "Health Centre", NYAMATA),
        member("Facility type", "XYZ", "Mystery clinic", CLOSED),
        member("Ownership", "PUBLIC", "Public", KIBAGABAGA),
        member("Ownership", None, "Faith-based (agréé)", REMERA),
    ]


def _metadata() -> dict[str, list[Row]]:
    elements = [
        (ANC1, "ANC1", "ANC first standard visit", "INTEGER_ZERO_OR_POSITIVE", "SUM"),
        (ANC4, "ANC4", "ANC fourth standard visit", "INTEGER_ZERO_OR_POSITIVE", "SUM"),
        (POPULATION, "POP", "Expected pregnancies", "NUMBER", "AVERAGE_SUM_ORG_UNIT"),
        (BEDS, "BEDS", "Bed occupancy", "NUMBER", "AVERAGE"),
        (PEAK, "PEAK", "Most patients in a day", "NUMBER", "MAX"),
        (REMARK, "REMARK", "Remark", "LONG_TEXT", "NONE"),
        (POWER, "POWER", "Had power all month", "BOOLEAN", "SUM"),
        (NIGHTS, "NIGHTS", "Not to be aggregated", "NUMBER", "NONE"),
    ]
    sets = [
        (HMIS, "HMIS", "HMIS monthly", "Monthly", "15.0"),
        (EPI, "EPI", "EPI monthly", "Monthly", "15.0"),
        (YEARLY, "POP", "Population", "Yearly", "90.0"),
    ]
    age = {"category": "CatAgeGroup", "category_name": "Age group"}
    sex = {"category": "CatSexOnly1", "category_name": "Sex"}
    options = [
        {"category_option_combo": YOUNG, "category_option": "OptUnder201", "category_option_name": "<20 years", **age},
        {"category_option_combo": YOUNG, "category_option": "OptFemale01", "category_option_name": "Female", **sex},
        {"category_option_combo": OLD, "category_option": "OptOver2011", "category_option_name": "20+ years", **age},
        {"category_option_combo": OLD, "category_option": "OptFemale01", "category_option_name": "Female", **sex},
        {
            "category_option_combo": DEFAULT,
            "category_option": "OptDefault1",
            "category_option_name": "default",
            "category": "CatDefault1",
            "category_name": "default",
        },
    ]
    assigned = [(HMIS, unit) for unit in (KIBAGABAGA, REMERA, NYAMATA, CLOSED)] + [(EPI, REMERA)]
    return {
        "hmis_organisation_units": organisation_units(),
        "hmis_organisation_unit_levels": [{"level": "1", "name": "Country"}, {"level": "6", "name": "Facility"}],
        "hmis_organisation_unit_group_members": _groups(),
        "hmis_data_elements": [
            {"id": u, "code": c, "name": n, "domain_type": "AGGREGATE", "value_type": v, "aggregation_type": a}
            for u, c, n, v, a in elements
        ],
        "hmis_category_option_combos": [
            {"id": YOUNG, "name": "<20 years, Female", "category_combo": "CbAgeAndSex"},
            {"id": OLD, "name": "20+ years, Female", "category_combo": "CbAgeAndSex"},
            {"id": DEFAULT, "name": "default", "category_combo": "CbDefault11"},
        ],
        "hmis_category_option_combo_options": options,
        "hmis_data_sets": [
            {"id": u, "code": c, "name": n, "period_type": p, "timely_days": t} for u, c, n, p, t in sets
        ],
        "hmis_data_set_elements": [
            {"data_set": HMIS, "data_element": e} for e in (ANC1, ANC4, BEDS, PEAK, REMARK, POWER, NIGHTS)
        ]
        + [{"data_set": YEARLY, "data_element": POPULATION}],
        "hmis_data_set_org_units": [{"data_set": d, "org_unit": u} for d, u in assigned],
        "hmis_constants": [{"id": "ConstTwelve", "code": "12", "name": "Months", "value": "12"}],
    }


# uid, code, factor, annualised, (numerator sql, operands), (denominator sql, operands)
Side = tuple[str | None, list[str]]
INDICATORS: list[tuple[str, str, str, bool, Side, Side]] = [
    ("IndAnc4Anc1", "ANC4_RATIO", "100", False, ("o1", [f"de:{ANC4}"]), ("o1", [f"de:{ANC1}"])),
    ("IndAnc1Cove", "ANC1_COVERAGE", "100", True, ("o1", [f"de:{ANC1}"]), ("o1", [f"de:{POPULATION}"])),
    (
        "IndBusyAnc1",
        "ANC1_BUSY",
        "1",
        False,
        ("case when o1 > 15 then o1 else 0 end", [f"de:{ANC1}"]),
        ("1", []),
    ),
    ("IndYoungAnc", "ANC1_YOUNG", "100", False, ("o1", [f"de:{ANC1}.{YOUNG}"]), ("o1", [f"de:{ANC1}"])),
    (
        "IndYoungAoc",
        "ANC1_AOC",
        "1",
        False,
        ("o1 + o2", [f"de:{ANC1}.{YOUNG}.{DEFAULT}", f"de:{ANC1}.*.{DEFAULT}"]),
        ("1", []),
    ),
    ("IndBedsAver", "BEDS", "1", False, ("o1 / days", [f"de:{BEDS}"]), ("1", [])),
    ("IndPeakMaxi", "PEAK", "1", False, ("o1", [f"de:{PEAK}"]), ("1", [])),
    ("IndNightsNo", "NIGHTS", "1", False, ("o1", [f"de:{NIGHTS}"]), ("1", [])),
    ("IndPowerYes", "POWER", "1", False, ("o1", [f"de:{POWER}"]), ("o1", [f"oug:{HC_GROUP}"])),
    ("IndReportRa", "REPORTING", "1", False, ("o1", [f"ds:{HMIS}.REPORTING_RATE"]), ("1", [])),
    ("IndRefusedX", "REFUSED", "1", False, (None, []), ("1", [])),
]


def value(element: str, unit: str, amount: str, combo: str = DEFAULT, month: str = JAN, **more: Any) -> Row:
    """A data value as landed."""
    return {
        "data_element": element,
        "period": month[:7].replace("-", ""),
        "org_unit": unit,
        "category_option_combo": combo,
        "attribute_option_combo": DEFAULT,
        "value": amount,
        "stored_by": "someone",
        "comment": "free text",
        **more,
    }


def january() -> list[Row]:
    """ANC1 18, 10 and 20; ANC4 9, 7 and 8; a tombstone, a remark, a number that is none, an odd boolean."""
    return [
        value(ANC1, KIBAGABAGA, "10", YOUNG),
        value(ANC1, KIBAGABAGA, "8", OLD),
        value(ANC1, REMERA, "6", YOUNG),
        value(ANC1, REMERA, "4", OLD),
        value(ANC1, NYAMATA, "20", YOUNG),
        value(ANC4, KIBAGABAGA, "9"),
        value(ANC4, REMERA, " 7 "),
        value(ANC4, NYAMATA, "8"),
        value(ANC4, CLOSED, "999", deleted="true"),
        value(ANC4, CLOSED, "n/a"),
        value(BEDS, KIBAGABAGA, "93"),
        value(BEDS, REMERA, "31.0"),
        value(PEAK, KIBAGABAGA, "40"),
        value(PEAK, REMERA, "55"),
        value(NIGHTS, KIBAGABAGA, "5"),
        value(NIGHTS, GASABO, "11"),
        value(POWER, KIBAGABAGA, "true"),
        value(POWER, NYAMATA, "false"),
        value(REMARK, REMERA, "12"),
    ]


def february() -> list[Row]:
    """One facility only."""
    return [
        value(ANC1, KIBAGABAGA, "3", YOUNG, FEB),
        value(ANC4, KIBAGABAGA, "4", DEFAULT, FEB),
    ]


def registrations() -> list[Row]:
    """January: Kibagabaga on the last day in time, Remera late, Nyamata taken back, one not expected."""

    def row(data_set: str, unit: str, date: str, completed: str = "true") -> Row:
        return {
            "data_set": data_set,
            "period": "202401",
            "org_unit": unit,
            "attribute_option_combo": DEFAULT,
            "date": date,
            "completed": completed,
        }

    return [
        row(HMIS, KIBAGABAGA, "2024-02-15"),
        row(HMIS, REMERA, "2024-02-16"),
        row(HMIS, NYAMATA, "2024-02-03", "false"),
        row(EPI, KIBAGABAGA, "2024-02-03"),
    ]


def land(connection: psycopg.Connection[Any]) -> None:
    """Create the tables and land everything."""
    create_tables(connection)
    for table, rows in _metadata().items():
        insert(connection, table, rows)
    yearly = [(KIBAGABAGA, "1200"), (REMERA, "800"), (BUGESERA, "3000")]
    insert(
        connection,
        "hmis_yearly_values",
        [{**value(POPULATION, unit, amount), "period": "2024"} for unit, amount in yearly],
    )
    insert(connection, "hmis_data_values", january(), month=JAN, load_id=7)
    insert(connection, "hmis_data_values", february(), month=FEB, load_id=8)
    insert(connection, "hmis_complete_registrations", registrations(), month=JAN)
    insert(connection, "hmis_complete_registrations", [], month=FEB)
    land_indicators(connection)
    land_ledger(connection)


def land_indicators(connection: psycopg.Connection[Any]) -> None:
    """The indicators and what the compiler made of them."""
    insert(
        connection,
        "hmis_indicators",
        [
            {"id": u, "code": c, "name": c.title(), "factor": f, "annualized": str(a).lower(), "decimals": "1"}
            for u, c, f, a, _, _ in INDICATORS
        ],
    )
    for uid, _, _, _, numerator, denominator in INDICATORS:
        for side, (text, operands) in (("numerator", numerator), ("denominator", denominator)):
            connection.execute(
                "insert into ops.indicator_sql values (%s, %s, %s, %s, %s, %s)",
                [uid, side, "as read", text, operands, None if text else "uses a program indicator"],
            )


def land_ledger(connection: psycopg.Connection[Any]) -> None:
    """Two committed loads of data values, January's the later one."""
    for load_id, month, finished in ((7, JAN, "2024-03-05 06:00+02"), (8, FEB, "2024-03-04 06:00+02")):
        connection.execute(
            "insert into ops.load (load_id, system, table_name, partition_key, window_start, window_end, status, is_current,"
            " finished_at) overriding system value values"
            " (%s, 'hmis', 'data_values', %s, %s::date, %s::date + 29, 'committed', true, %s)",
            [load_id, month, month, month, finished],
        )
