"""Visits and laboratory results for their marts, and the months of them that are loaded.

Belongs here: the rows. Does not belong here: what the marts make of them (the tests say that).
"""

from __future__ import annotations

from typing import Any

from marts_rows import Row, key
from small_country import KIBAGABAGA, NYAMATA, REMERA

JANUARY, FEBRUARY, MARCH, JUNE, JULY = (f"2024-{month:02d}-01" for month in (1, 2, 3, 6, 7))


def visit(uid: str, month: str, unit: str | None, outcome: str | None = "home", **more: Any) -> Row:
    """A visit of eFICHE for a new illness: whoever is sent on is told by the outcome, and nothing where there is none."""
    return {
        "visit_key": key("visit", uid),
        "system": "efiche",
        "facility_uid": unit,
        "source_facility_code": unit,
        "period_start": month,
        "visit_type": "outpatient",
        "is_new_case": True,
        "is_age_estimated": False,
        "outcome": outcome,
        "was_referred": None if outcome is None else outcome == "referred",
        "load_id": 1,
        **more,
    }


def post(uid: str, month: str, unit: str | None, outcome: str, **more: Any) -> Row:
    """An encounter at a health post."""
    return visit(uid, month, unit, outcome, system="hpemr", visit_type="health_post", **more)


def at_home(uid: str, month: str, unit: str, referred: bool = False) -> Row:
    """An encounter of a community health worker, who writes down a referral and no other outcome, and does not ask for the insurance."""
    outcome = "referred" if referred else None
    return visit(
        uid, month, unit, outcome, system="cemr", visit_type="community", is_new_case=None, was_referred=referred
    )


VISITS: dict[str, list[Row]] = {
    "dwh.fct_visit": [
        visit("k1", JANUARY, KIBAGABAGA, insurance_key="cbhi_ubudehe_1"),
        visit("k2", JANUARY, KIBAGABAGA, "admitted", is_new_case=False, insurance_key="cbhi"),
        # Neither the insurance nor the outcome is told.
        visit("k3", JANUARY, KIBAGABAGA, None),
        at_home("r1", JANUARY, REMERA, referred=True),
        at_home("r2", JANUARY, REMERA),
        at_home("r3", JANUARY, REMERA),
        visit("k4", FEBRUARY, KIBAGABAGA, "referred", insurance_key="rama"),
        # A scheme that nobody knows.
        visit("k5", FEBRUARY, KIBAGABAGA, "left", is_new_case=None, insurance_mapping="unknown"),
        # A post that is not in the registry.
        post("x1", FEBRUARY, None, "home", source_facility_code="HP-9", insurance_key="cbhi"),
        visit("n1", JUNE, NYAMATA, "referred", insurance_key="cbhi_ubudehe_2"),
        post("r4", JULY, REMERA, "home", insurance_key="none"),
        post("r5", JULY, REMERA, "referred", is_new_case=False, insurance_key="cbhi"),
    ]
}


def result(uid: str, month: str, unit: str | None, test: str, is_positive: bool | None, **more: Any) -> Row:
    """A result of eFICHE's laboratory."""
    system = more.get("system", "efiche")
    return {
        "order_key": key("order", uid),
        "position": 1,
        "system": system,
        "facility_uid": unit,
        "source_facility_code": unit,
        "period_start": month,
        "source_code": test,
        "lab_test_key": f"{system}:{test}",
        "mapping_status": "exact",
        "has_other_words": False,
        "is_positive": is_positive,
        "load_id": 1,
        **more,
    }


SENSITIVE_TESTS = ("VIH", "CD4", "GX", "BK")

LABORATORY: dict[str, list[Row]] = {
    "dwh.fct_lab_result": [
        result("k1", JANUARY, KIBAGABAGA, "TDR", True),
        result("k2", JANUARY, KIBAGABAGA, "TDR", False),
        # An invalid test.
        result("k3", JANUARY, KIBAGABAGA, "TDR", None),
        result("k4", JANUARY, KIBAGABAGA, "HB", None, value_number=9.8),
        *(result(f"s{test}", JANUARY, KIBAGABAGA, test, True) for test in SENSITIVE_TESTS),
        # Nobody has said what it tells: it may be sensitive.
        result("new", JANUARY, KIBAGABAGA, "CHARGE", True, lab_test_key=None, mapping_status="unmapped"),
        result("r1", JANUARY, REMERA, "RDT", True, system="cemr"),
        result("k5", FEBRUARY, KIBAGABAGA, "TDR", True),
        result("x1", FEBRUARY, None, "TDR", True, source_facility_code="999"),
        result("n1", JUNE, NYAMATA, "TDR", False),
        result("n2", JULY, NYAMATA, "TDR", False),
        # Syphilis is no sensitive disease of this warehouse, as in what outpatients are diagnosed with.
        result("n3", JULY, NYAMATA, "RPR", True),
    ]
}

# Of health posts March is missing, of the laboratory all but January.
MONTHS_LOADED = (
    ("efiche", "visits", (JANUARY, FEBRUARY, MARCH)),
    ("cemr", "community_encounters", (JANUARY, FEBRUARY, MARCH)),
    ("hpemr", "encounters", (JANUARY, FEBRUARY)),
    ("efiche", "lab_orders", (JANUARY,)),
)
