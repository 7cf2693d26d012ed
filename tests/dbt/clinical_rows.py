"""A handful of records of the REST systems as landed, in January and February 2024, with what life does to them.

Belongs here: the rows. Does not belong here: what staging and the crosswalks make of them (the tests say that).
"""

from __future__ import annotations

import json
from typing import Any

import psycopg
from raw_tables import insert
from small_country import FEB, JAN, Row

OLD, NEW = "2024-02-01 10:00+00", "2024-02-02 10:00+00"
WEEK = "2024-01-29"


def visit(uid: str, day: str, diagnoses: Any = (), **more: Any) -> Row:
    """A visit of eFICHE."""
    return {
        "visit_id": uid,
        "facility_code": "22",
        "facility_name": "Kibagabaga DH",
        "visit_date": day,
        "created_at": f"{day} 23:30:00",
        "diagnoses": json.dumps(diagnoses),
        "deleted": "false",
        "_source_updated_at": OLD,
        **more,
    }


def diagnosis(code: str | None, label: str) -> Row:
    """One of a visit's diagnoses."""
    return {"code": code, "label": label, "certainty": "CONFIRMED"}


EFICHE: dict[str, list[Row]] = {
    "efiche_visits": [
        visit(
            "v1",
            "31/01/2024",
            [
                diagnosis("P01", "Paludisme simple / Simple malaria"),
                diagnosis(None, "gastrite"),
                diagnosis(None, "visited Mukamana Alice"),
                diagnosis("Z99", "New on the form"),
            ],
            date_of_birth="31/02/2000",
            age_years="23",
            temperature_c="38.50",
            national_id="1 2000 8 0012345 6 78",
            referred_to_facility_code="440",
        ),
        visit("v2", "02/01/2024", deleted="true"),
        # It moved to February, where it is newer.
        visit("v3", "30/01/2024", [diagnosis("P01", "x")]),
        # Deleted since: the tombstone stands in another month.
        visit("v4", "05/01/2024"),
    ],
    "efiche_lab_orders": [
        {
            "lab_order_id": "l1",
            "facility_code": "22",
            "facility_name": "Kibagabaga DH",
            "ordered_on": "31/01/2024",
            "results": json.dumps(
                [
                    {
                        "test_code": "HB",
                        "label": "Hb",
                        "value_numeric": 9.8,
                        "unit": "g/dL",
                        "range_low": 11,
                        "flag": "L",
                    },
                    {"test_code": "WIDAL", "label": "Widal", "value_text": " TO  1/160 "},
                ]
            ),
            "deleted": "false",
        },
        {"lab_order_id": "l2", "facility_code": "22", "ordered_on": "31/01/2024", "results": None, "deleted": "false"},
    ],
    "efiche_stock_movements": [
        {
            "stock_movement_id": "m1",
            "facility_code": "7657",
            "facility_name": "Not in the registry",
            "movement_date": "03/01/2024",
            "product_code": code,
            "product_label": label,
            "quantity": "-12",
            "deleted": "false",
        }
        for code, label in [("MED019", "COARTEM 6X4")]
    ],
    "efiche_stock_balances": [
        {
            "stock_balance_id": "b1",
            "facility_code": "22",
            "counted_on": "31/01/2024",
            "month": "01/2024",
            "product_code": "MED999",
            "product_label": "NOUVEAU PRODUIT",
            "closing_quantity": "-3",
            "days_out_of_stock": "some",
            "deleted": "false",
        }
    ],
}
LATER: dict[str, list[Row]] = {
    "efiche_visits": [
        visit("v3", "01/02/2024", [diagnosis("Z99", "New on the form")], _source_updated_at=NEW),
        visit("v4", "05/02/2024", deleted="true", _source_updated_at=NEW),
    ]
}
OTHERS: dict[str, list[Row]] = {
    "hpemr_encounters": [
        {
            "encounter_id": "e1",
            "facility_code": "HP-00106",
            "facility_name": "Gakira HP",
            # 31 January 23:30 in Kigali.
            "started_at": "1706736600000",
            "ended_at": "17067366000000000",
            # Midnight of 2 November 1961 in Kigali.
            "date_of_birth": "-257652000000",
            "district": "Gasabo",
            "new_case": "true",
            "diagnoses": json.dumps([{"code": "HPD-017", "display": "Eye problem", "primary": True}]),
            "treatments": json.dumps([{"code": "AL", "display": "AL", "quantity": 24, "unit": "tablet", "days": 3}]),
            "record_state": "ACTIVE",
            "deleted": "false",
        }
    ],
    "hpemr_referrals": [
        {
            "referral_id": "r1",
            "encounter_id": "e1",
            "facility_code": "HP-00106",
            "facility_name": "Gakira HP",
            "sent_at": "1706736600000",
            "referred_to_facility_name": "Remera HC",
            "reason_code": "HPD-001",
            "reason_label": "Malaria",
            "deleted": "false",
        }
    ],
    "cemr_patients": [
        {
            "patient_id": "100035135539555",
            "given_name": " Marie   Grace ",
            "date_of_birth": "1999-12-16",
            "date_of_birth_estimated": "false",
            "facility_name": "Remera",
            "facility_district": "GASABO",
            "facility_code": "440",
            "registered_on": "2024-01-31",
            "created_at": "2024-01-31T22:30:00Z",
            "deleted": "false",
        }
    ],
    "cemr_community_encounters": [
        {
            "encounter_id": "77",
            "patient_id": "100035135539555",
            "encounter_date": "2024-01-31",
            "facility_name": name,
            "facility_district": district,
            "symptoms": '["FEVER","COUGH"]',
            "danger_signs": "[]",
            "diagnoses": '["MALARIA","BROKEN_LEG"]',
            "treatments": '[{"product":"AL-6x4","quantity":24}]',
            "stock_outs": '["ORS"]',
            "deleted": "false",
        }
        for name, district in [("Lemela HC", "Akarere ka Gasabo")]
    ],
}
WEEKLY: dict[str, list[Row]] = {
    "ebuzima_pregnancies": [
        {
            "pregnancy_id": "p1",
            "facility_code": "0022",
            "facility_name": "Kibagabaga",
            "registered_at": "2024-01-31T23:30:00+02:00",
            "last_menstrual_period": "2023-10-01",
            "gravida": "2",
            "on_art": "false",
            "risk_factors": '["AGE_OVER_35","SHORT_STATURE"]',
            "deleted": "false",
        }
    ],
    "ebuzima_postnatal_contacts": [
        {
            "postnatal_contact_id": "c1",
            "facility_code": "0022",
            "facility_name": "Kibagabaga",
            "encounter_at": "2024-02-01T08:00:00+02:00",
            "danger_signs": "[]",
            "newborns": json.dumps(
                [
                    {
                        "uuid": "b1",
                        "weightGrams": 3100,
                        "temperature": 36.8,
                        "dangerSigns": ["JAUNDICE", "NOT_FEEDING"],
                    },
                    {"uuid": None, "weightGrams": None, "temperature": None, "dangerSigns": []},
                ]
            ),
            "deleted": "false",
        }
    ],
    "idsr_cases": [
        {
            "case_id": "k1",
            "epi_week": "2024W05",
            "consultation_date": "2024-01-30",
            "facility_code": "F0440",
            "facility_name": "Remera HC",
            "disease_code": "DISEASE_X",
            "disease_name": "New disease",
            "hospitalised": "true",
            "notified_at": "2024-01-31T00:30:00+02:00",
            "deleted": "false",
        }
    ],
}


def land(connection: psycopg.Connection[Any]) -> None:
    """Land everything."""
    for tables, partition in ((EFICHE, JAN), (OTHERS, JAN), (LATER, FEB), (WEEKLY, WEEK)):
        for table, rows in tables.items():
            insert(connection, table, rows, month=partition)
