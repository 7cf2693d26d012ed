"""Records of tracker programmes and of EBUZIMA for the facts of doses, births and deaths: few, all in the spring of 2023.

Belongs here: the rows. Does not belong here: what the facts make of them (``test_programme_facts`` says that).
"""

from __future__ import annotations

from typing import Any

import psycopg
from raw_tables import insert
from small_country import KIBAGABAGA, REMERA, Row
from tracker_rows import LEGACY, put, week_of

from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.systems import PROGRAMMES
from hic_assets.systems.declare import Programme

IMMUNIZATION, CRVS, BIRTHS, CANCER, MOTHERS = (
    next(p for p in PROGRAMMES if p.name == name)
    for name in ("immunization", "crvs", "birth_registration", "cancer", "maternal_death_audit")
)
VISIT = "ImmStgVis01"
DOSES = {
    "IMM_BCG": "K8pox2htFFc",
    "IMM_OPV1": "F1zVzgxJkSg",
    "IMM_PENTA1": "Rieez55zZIk",
    "IMM_PENTA2": "YpQ7xuvpRAb",
    "IMM_PENTA3": "HgA0t0WhX2n",
    "IMM_MR1": "zJInPehVqaO",
    "IMM_VITAMIN_A": "IIpa5jH6ACp",
    # A field that a form may still have: the third dose of a product that is no longer given.
    "IMM_ROTA3": "Rota3Field1",
}
UNHEARD_OF = "NewVaccine1"
SECTOR = "SectRemera1"


def event(uid: str, who: str, day: str, stage: str, values: dict[str, str], **more: Any) -> Row:
    """An event that took place on a day."""
    return {
        "event": uid,
        "enrollment": f"n-{who}",
        "tracked_entity": who,
        "program_stage": stage,
        "org_unit": KIBAGABAGA,
        "status": "COMPLETED",
        "occurred_at": f"{day}T00:00:00.000",
        "data_values": values,
        "deleted": "false",
        **more,
    }


def visit(uid: str, who: str, day: str, *doses: str, **more: Any) -> Row:
    """A visit at which these doses were ticked, and one was not."""
    values = {DOSES.get(dose, dose): "true" for dose in doses}
    return event(uid, who, day, VISIT, {DOSES["IMM_BCG"]: "false", "RLJXRz1HNmI": "4.2"} | values, **more)


def person(who: str, attributes: dict[str, str], **more: Any) -> Row:
    """A tracked entity."""
    return {"tracked_entity": who, "org_unit": KIBAGABAGA, "attributes": attributes, "deleted": "false", **more}


def child(who: str, born: str, sex: str = "Gabo", **more: Any) -> Row:
    """A child of the immunization tracker."""
    return person(who, {"obMuf7NM6Cu": born, "NgpqAIU6ASD": sex}, **more)


def enrolment(who: str, day: str, **more: Any) -> Row:
    """An enrolment on a day."""
    return {
        "enrollment": f"n-{who}",
        "tracked_entity": who,
        "org_unit": KIBAGABAGA,
        "status": "ACTIVE",
        "enrolled_at": f"{day}T00:00:00.000",
        "deleted": "false",
        **more,
    }


CHILDREN = [
    child("ann", "2023-01-01", "Gore"),
    child("ben", "2022-08-31"),
    child("cat", "2022-08-31"),
    child("dan", "2022-08-31"),
    child("eve", "1900-01-01"),
    child("fay", "2023-01-01"),
]
# Six weeks after 1 January is 12 February, ten weeks 12 March, fourteen weeks 9 April; nine months after 31 August, 31 May.
VISITS = [
    visit("a1", "ann", "2023-02-12", "IMM_PENTA1", "IMM_OPV1"),
    visit("a2", "ann", "2023-03-11", "IMM_PENTA2"),
    visit("a3", "ann", "2023-04-10", "IMM_PENTA3"),
    visit("b1", "ben", "2023-05-31", "IMM_MR1", "IMM_VITAMIN_A"),
    visit("c1", "cat", "2023-05-30", "IMM_MR1"),
    visit("d1", "dan", "2023-09-01", "IMM_MR1"),
    visit("d2", "dan", "2023-08-31", "IMM_BCG"),
    visit("e1", "eve", "2023-03-06", "IMM_PENTA1"),
    visit("f1", "fay", "2023-03-06", UNHEARD_OF, "IMM_ROTA3", org_unit="UnknownUnit"),
    visit("f2", "fay", "2023-03-07", "IMM_PENTA1", status="SKIPPED"),
]

CRVS_BIRTH, CRVS_DEATH = "CrvStgBir01", "CrvStgDea01"


def registered(uid: str, born: str, on: str, **more: str) -> Row:
    """A birth in civil registration."""
    values = {"oAUl4QFMc9Z": on, "ElCB7RCyFk8": born, "dY8kgfzZVsr": "HOME", **more}
    return event(uid, uid, on, CRVS_BIRTH, values, org_unit=SECTOR)


def died(uid: str, day: str, on: str, age: str, unit: str, **more: str) -> Row:
    """A death in civil registration."""
    values = {"oAUl4QFMc9Z": on, "r7EgfQLLsb7": day, "Z3LhRnAhNII": age, "eVet7Ea5lPr": unit, **more}
    return event(uid, uid, on, CRVS_DEATH, values, org_unit=REMERA)


CIVIL = [
    # 30 days after 4 February is 6 March.
    registered("r1", "2023-02-04", "2023-03-06", dY8kgfzZVsr="FACILITY", OqDxC0EtqEW="22", C9CTRMpL2ru="3100"),
    registered("r2", "2023-02-04", "2023-03-07"),
    registered("r3", "2023-03-10", "2023-03-09"),
    died("x1", "2023-03-06", "2023-03-09", "27", "DAYS", oQNVBDDikle="P21.9", pk4VryyQjtW="FACILITY"),
    died("x2", "2023-01-06", "2023-03-09", "28", "DAYS"),
    died("x3", "2023-03-06", "2023-03-09", "23", "MONTHS"),
    died("x4", "2023-03-06", "2023-03-09", "60", "YEARS", DXaviB4tcVs="NATURAL"),
]
AT_FACILITY = [
    event(
        "g1",
        "g1",
        "2023-03-08",
        "BrgStgBir01",
        {"YetBywn2TTm": "2023-03-08", "H0m9qrJKGod": "FSB", "zWDvWiCXPIb": "2900", "ad4YjAKtdCY": "38"},
    ),
    event("g2", "g1", "2023-03-09", "BrgStgDis01", {"H3iR49M53H8": "2023-03-09"}),
]
SPRING = "2023-03-06"
EBUZIMA: dict[str, list[Row]] = {
    "ebuzima_deliveries": [
        {
            "delivery_id": "d1",
            "pregnancy_id": "p9",
            "patient_id": "m1",
            "facility_code": "0022",
            # Half past eleven of Sunday evening in Kigali: still this week.
            "delivered_at": "2023-03-12T23:30:00+02:00",
            "date_of_birth": "1993-03-13",
            "mode": "CAESAREAN",
            "attendant": "NONE",
            "babies": "2",
            "live_births": "1",
            "stillbirths": "1",
            "complications": '["ECLAMPSIA","NEW_CODE"]',
            "mother_condition": "REFERRED",
            "deleted": "false",
        }
    ],
    "ebuzima_newborns": [
        {
            "newborn_id": uid,
            "delivery_id": "d1",
            "facility_code": code,
            "born_at": "2023-03-12T23:30:00+02:00",
            "sex": "F",
            "weight_g": "2500",
            "outcome": outcome,
            "deleted": "false",
        }
        for uid, code, outcome in (("w1", "0022", "LIVE_BIRTH"), ("w2", "9999", "MACERATED_STILLBIRTH"))
    ],
}


def land(connection: psycopg.Connection[Any]) -> None:
    """Land everything, in the legacy tables, which are read until a programme is cut over."""
    fields = [{"program_stage": VISIT, "data_element": uid, "code": code} for code, uid in DOSES.items()]
    insert(connection, "immunization_tracker_program_stage_data_elements", fields)
    for row in CHILDREN:
        land_rows(connection, IMMUNIZATION, Kind.TRACKED_ENTITIES, [row], "2023-01-02")
        land_rows(connection, IMMUNIZATION, Kind.ENROLLMENTS, [enrolment(row["tracked_entity"], "2023-01-04")])
    land_rows(connection, IMMUNIZATION, Kind.EVENTS, VISITS)
    land_rows(connection, CRVS, Kind.EVENTS, CIVIL)
    land_rows(connection, CRVS, Kind.TRACKED_ENTITIES, [person("r1", {"UB6mKTFw4Ro": "F"})], SPRING)
    land_rows(connection, BIRTHS, Kind.EVENTS, AT_FACILITY)
    for table, rows in EBUZIMA.items():
        insert(connection, table, rows, month=SPRING)


def land_rows(
    connection: psycopg.Connection[Any],
    programme: Programme,
    kind: Kind,
    rows: list[Row],
    partition: str | None = None,
    **more: Any,
) -> None:
    """Append records to the week of their day, or to the partition that is told."""
    for row in rows:
        day = row.get("occurred_at") or row.get("enrolled_at")
        where = partition or week_of(str(day)[:10])
        put(connection, programme, kind, [row], pipeline=LEGACY, partition=where, **more)
