"""Numbers for the catalogued indicators, landed beside the small country's own: HIV, TB, vaccines, populations, beds.

Belongs here: the rows, in January and February 2024. Does not belong here: what is made of them (test_core_indicators says).
"""

from __future__ import annotations

from typing import Any

import psycopg
from raw_tables import insert
from small_country import BUGESERA, FEB, GASABO, JAN, KIBAGABAGA, NYAMATA, REMERA, Row, value

INFANT = "CocInfantsI"
# Data elements by the code that the seed names.
ELEMENTS = {
    "HIV_TESTED": "DeHivTested",
    "HIV_POS": "DeHivPositi",
    "TB_NOTIFIED": "DeTbNotifie",
    "TB_HIV_KNOWN": "DeTbHivKnow",
    "HIV_ART_CURR": "DeHivOnArtX",
    "EPI_PENTA1": "DePentaOneX",
    "EPI_BCG": "DeBcgDosesX",
    "EPI_MR1": "DeMeaslesR1",
    "IPD_DAYS": "DeHospDaysX",
    "IPD_BEDS": "DeHospBedsX",
    "OPD_NEW": "DeOpdNewCas",
    "POP_TOTAL": "DePopTotalX",
    "POP_PREG": "DePopPregnX",
    "POP_INFANTS": "DePopInfant",
    "POPD_TOTAL": "DePopDistri",
    "POPD_PLHIV": "DePopPlhivX",
}
# code, unit, January, February
MONTHLY: list[tuple[str, str, str | None, str | None]] = [
    ("HIV_POS", KIBAGABAGA, "3", "8"),
    ("HIV_TESTED", KIBAGABAGA, "100", "100"),
    ("HIV_POS", REMERA, "20", "6"),
    ("HIV_TESTED", REMERA, "200", "50"),
    ("HIV_POS", NYAMATA, "9", None),
    ("HIV_TESTED", NYAMATA, "150", None),
    ("TB_NOTIFIED", KIBAGABAGA, "2", "4"),
    ("TB_HIV_KNOWN", KIBAGABAGA, "2", "4"),
    ("TB_NOTIFIED", NYAMATA, "7", None),
    ("TB_HIV_KNOWN", NYAMATA, "7", None),
    ("HIV_ART_CURR", KIBAGABAGA, "50", "60"),
    ("HIV_ART_CURR", NYAMATA, "30", None),
    ("EPI_PENTA1", REMERA, "10", "10"),
    ("EPI_PENTA1", NYAMATA, "5", None),
    ("EPI_BCG", REMERA, "10", "10"),
    ("EPI_MR1", REMERA, "12", "9"),
    ("EPI_BCG", NYAMATA, "5", None),
    ("IPD_DAYS", KIBAGABAGA, "620", "290"),
    ("IPD_BEDS", KIBAGABAGA, "25", "20"),
    ("OPD_NEW", REMERA, "0", "40"),
]
YEARLY = [
    ("POP_TOTAL", KIBAGABAGA, "12000"),
    ("POP_TOTAL", REMERA, "8000"),
    ("POP_PREG", REMERA, "60"),
    ("POP_INFANTS", REMERA, "60"),
    ("POP_INFANTS", NYAMATA, "12"),
    ("POPD_TOTAL", GASABO, "30000"),
    ("POPD_TOTAL", BUGESERA, "60000"),
    ("POPD_PLHIV", GASABO, "100"),
    ("POPD_PLHIV", BUGESERA, "50"),
]


def months() -> dict[str, list[Row]]:
    """The values by month; of the OPD cases February's are of children under five."""
    made: dict[str, list[Row]] = {JAN: [], FEB: []}
    for code, unit, *amounts in MONTHLY:
        for month, amount in zip((JAN, FEB), amounts, strict=True):
            combo = {"combo": INFANT} if code == "OPD_NEW" and month == FEB else {}
            if amount is not None:
                made[month].append(value(ELEMENTS[code], unit, amount, month=month, **combo))
    return made


def land(connection: psycopg.Connection[Any]) -> None:
    """Land the elements, a combo with an option's code, the months and the year."""
    fixed = {"domain_type": "AGGREGATE", "value_type": "NUMBER", "aggregation_type": "SUM"}
    elements = [{"id": uid, "code": code, "name": code.title(), **fixed} for code, uid in ELEMENTS.items()]
    insert(connection, "hmis_data_elements", elements)
    insert(
        connection, "hmis_category_option_combos", [{"id": INFANT, "name": "<5 years", "category_combo": "CbAgeOfOpd1"}]
    )
    option = {
        "category_option": "OptUnderFiv",
        "category_option_code": "AGE_OPD_LT5",
        "category_option_name": "<5 years",
    }
    category = {"category": "CatAgeOfOpd", "category_name": "Age group of OPD"}
    insert(connection, "hmis_category_option_combo_options", [{"category_option_combo": INFANT, **option, **category}])
    for month, rows in months().items():
        insert(connection, "hmis_data_values", rows, month=month, load_id=7 if month == JAN else 8)
    yearly = [{**value(ELEMENTS[code], unit, amount), "period": "2024"} for code, unit, amount in YEARLY]
    insert(connection, "hmis_yearly_values", yearly)
