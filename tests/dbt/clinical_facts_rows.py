"""Records of two months at two health facilities and at home, from whose facts every figure can be told by hand.

Belongs here: rows that are landed beside those of ``clinical_rows``, in a copy of the country. Does not belong here: what the
facts make of them (``test_clinical_facts``).
"""

from __future__ import annotations

import json
from typing import Any

import psycopg
from clinical_rows import diagnosis, visit
from raw_tables import insert
from small_country import FEB, JAN, Row

FILE = "00412/23"
MALARIA = "Paludisme simple / Simple malaria"
OTHER_FILE = visit("x4", "20/01/2024", visit_type="AC", file_number="00007/24", sex="1", age_years="19")


def _result(code: str, **more: Any) -> Row:
    return {"test_code": code, "label": code, **more}


def card(uid: str, month: str, opening: int, issued: int, closing: int, **more: Any) -> Row:
    """A stock card of Coartem at Kibagabaga; nothing received, lost or adjusted."""
    last = {"01/2024": "31/01/2024", "02/2024": "29/02/2024"}[month]
    return {
        "stock_balance_id": uid,
        "facility_code": "22",
        "facility_name": "Kibagabaga DH",
        "counted_on": last,
        "month": month,
        "product_code": "MED019",
        "product_label": "COARTEM 6X4",
        "unit": "plaquette",
        "opening_quantity": str(opening),
        "received_quantity": "0",
        "issued_quantity": str(issued),
        "lost_quantity": "0",
        "adjusted_quantity": "0",
        "closing_quantity": str(closing),
        "days_out_of_stock": "0",
        "deleted": "false",
        "_source_updated_at": "2024-03-01 10:00+00",
        **more,
    }


def movement(uid: str, day: str, quantity: int) -> Row:
    """An issue of Coartem at Kibagabaga."""
    return {
        "stock_movement_id": uid,
        "facility_code": "22",
        "facility_name": "Kibagabaga DH",
        "movement_date": day,
        "product_code": "MED019",
        "product_label": "COARTEM 6X4",
        "movement_type": "ISSUE",
        "quantity": str(quantity),
        "deleted": "false",
    }


_MALARIA_VISIT = visit(
    "x1",
    "10/01/2024",
    [diagnosis("P01", MALARIA), {"code": "H01", "label": "?", "certainty": "PRESUMED"}],
    facility_code="440",
    facility_name="Remera HC",
    visit_type="NC",
    file_number=FILE,
    sex="2",
    age_years="3",
    insurance_scheme="CBHI",
    insurance_category="UBUDEHE_3",
    outcome="REFERRED",
    referred_to_facility_code="22",
    amount_paid_rwf="200",
)
_ORDER = {
    "lab_order_id": "x1",
    "facility_code": "440",
    "facility_name": "Remera HC",
    "ordered_on": "10/01/2024",
    "visit_id": "x1",
    "file_number": FILE,
    "sex": "2",
    "age_years": "3",
    "specimen": "SANG",
    "status": "COMPLETED",
    "results": json.dumps(
        [
            _result("TDR", value_text="POSITIF"),
            _result("GLY", value_text="5,5", unit="mmol/L", range_low=3.89, range_high=6.11, flag="N"),
            _result("HB", value_numeric=8.9, unit="g/dl", range_low=11, range_high=17),
        ]
    ),
    "deleted": "false",
}
_AT_HOME = {
    "encounter_id": "78",
    "patient_id": "100035135539555",
    "encounter_date": "2024-01-30",
    "encounter_type": "child_illness",
    "facility_name": "Remera",
    "facility_district": "Gasabo",
    "age_months": "59",
    "sex": "F",
    "malaria_test": "NEGATIVE",
    "diagnoses": '["DIARRHOEA"]',
    "deleted": "false",
}
ROWS: dict[str, dict[str, list[Row]]] = {
    JAN: {
        "efiche_visits": [_MALARIA_VISIT, OTHER_FILE],
        "efiche_lab_orders": [_ORDER],
        "efiche_stock_balances": [card("y1", "01/2024", 50, 20, 30)],
        "efiche_stock_movements": [movement("n1", "05/01/2024", 15), movement("n2", "25/01/2024", 5)],
        "cemr_community_encounters": [_AT_HOME],
    },
    FEB: {
        # The same file: the same person, a month later.
        "efiche_visits": [{**_MALARIA_VISIT, "visit_id": "x2", "visit_date": "11/02/2024", "diagnoses": "[]"}],
        "efiche_stock_balances": [card("y2", "02/2024", 40, 45, -5, days_out_of_stock="30")],
        "efiche_stock_movements": [movement("n3", "05/02/2024", 40)],
    },
}


def land(connection: psycopg.Connection[Any]) -> None:
    """Land everything beside what is there."""
    for month, tables in ROWS.items():
        for table, rows in tables.items():
            insert(connection, table, rows, month=month)
