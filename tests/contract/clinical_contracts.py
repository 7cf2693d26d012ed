"""The contracts of the clinical systems as a person reads them: members, what is promised of them, and by which column
they go. Nothing here looks at the mappings: they are held to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from hic_assets.sandbox.server.clinical.contract import document

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """One resource as its contract tells it. `stored`: its name in the sandbox's store; `day`: member with its day."""

    system: str
    name: str
    path: str
    schema: str
    key: str
    day: str
    stored: str

    @property
    def own(self) -> str:
        """The member that identifies the record."""
        if self.system == "hpemr":
            return f"{self.schema.lower()}Id"
        return {"ebuzima": "uuid", "cemr": self.key}.get(self.system, "id")

    def __str__(self) -> str:
        return f"{self.system}-{self.name}"


def _of(system: str, path: str, *rows: tuple[str, str, str, str]) -> list[Told]:
    made = []
    for name, schema, key, day in rows:
        spelt = name.replace("_", "-")
        stored = name if system == "cemr" else spelt
        made.append(Told(system, name, path.format(spelt), schema, key, day, stored))
    return made


RESOURCES = [
    *_of(
        "efiche",
        "api/v1/{}",
        ("visits", "Visit", "visit_id", "visit_date"),
        ("lab_orders", "LabOrder", "lab_order_id", "ordered_on"),
        ("stock_movements", "StockMovement", "stock_movement_id", "movement_date"),
        ("stock_balances", "StockBalance", "stock_balance_id", "counted_on"),
    ),
    *_of(
        "hpemr",
        "api/v1/{}",
        ("encounters", "Encounter", "encounter_id", "started_at"),
        ("referrals", "Referral", "referral_id", "sent_at"),
    ),
    *_of(
        "ebuzima",
        "api/v1/{}",
        ("pregnancies", "Pregnancy", "pregnancy_id", "registered_at"),
        ("anc_contacts", "AncContact", "anc_contact_id", "encounter_at"),
        ("deliveries", "Delivery", "delivery_id", "delivered_at"),
        ("newborns", "Newborn", "newborn_id", "born_at"),
        ("postnatal_contacts", "PostnatalContact", "postnatal_contact_id", "encounter_at"),
    ),
    *_of(
        "cemr",
        "api/export/{}.ndjson",
        ("patients", "Patient", "patient_id", "registered_on"),
        ("community_encounters", "Encounter", "encounter_id", "encounter_date"),
    ),
    *_of(
        "idsr",
        "api/v1/{}",
        ("notifications", "Notification", "notification_id", "week_start"),
        ("cases", "Case", "case_id", "consultation_date"),
    ),
]
NAMES = {
    # The same thing has the same name in all systems.
    "fosa": "facility_code", "facility.id": "facility_code", "facility.code": "facility_code",
    "facility.fosaCode": "facility_code", "facility.name": "facility_name", "health_centre": "facility_name",
    "facility.district": "facility_district",
    "patient.temp_id": "temporary_id", "patient.tempId": "temporary_id", "patient.temporaryId": "temporary_id",
    "patient.nid": "national_id", "patient.upid": "upi", "patient.uuid": "patient_id", "patientUuid": "patient_id",
    "patient.surname": "family_name", "patient.other_names": "given_name", "first_name": "given_name",
    "patient.birthDate": "date_of_birth", "patient.birthDateEstimated": "date_of_birth_estimated",
    "patient.gender": "sex", "patient.telephone": "phone", "patient.localId": "file_number",
    "insurance.member_number": "insurance_number",
    "insurance.scheme": "insurance_scheme", "insurance.category": "insurance_category",
    "payer.scheme": "insurance_scheme", "payer.category": "insurance_category",
    "pregnancy.uuid": "pregnancy_id", "delivery.uuid": "delivery_id",
    "disease.code": "disease_code", "disease.name": "disease_name", "disease.reporting": "disease_reporting",
    "referred_to_fosa": "referred_to_facility_code", "referredTo.name": "referred_to_facility_name",
    "reason.code": "reason_code", "reason.display": "reason_label",
    "referral.reason": "referral_reason", "referral.completed": "referral_completed",
    "dateCreated": "created_at", "dateChanged": "updated_at", "lastModified": "updated_at",
    "apgar1": "apgar_1", "apgar5": "apgar_5", "weightGrams": "weight_g", "motherTemperature": "temperature_c",
    "haemoglobin": "haemoglobin_g_dl", "rdt_result": "malaria_test", "voided": "deleted",
}  # fmt: skip
STATES = {"hpemr": ("state", "VOIDED"), "idsr": ("status", "DELETED")}
"""Where no boolean says that a record is deleted: the member that does, and how."""

# Who reads one of these knows whom the record is about, or where to find him or her.
PERSONAL = {
    "identifies a person": "upi upid nid national_id temp_id temporary_id surname other_names full_name family_name "
    "given_name first_name mother_name phone telephone birth_date date_of_birth born_at file_number local_id "
    "anc_number epid_number member_number",
    "place of a person": "village household_id",
    "identifies a health worker": "chw_id",
    "free text about a person": "label value_text",
}
WORDS = {name: why for why, names in PERSONAL.items() for name in names.split()}


def snake(name: str) -> str:
    """`encounterAt` as `encounter_at`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def column_of(told: Told, path: str) -> str:
    """The column by which a member goes."""
    if path == told.own:
        return told.key
    if told.system == "cemr" and path == "district":
        return "facility_district"
    if told.system in STATES and path == STATES[told.system][0]:
        return "record_state"
    return NAMES.get(path) or snake(path.rpartition(".")[2])


@dataclass(frozen=True)
class Leaf:
    """A member that holds a value or a list. `promised`: of every record, and never null. `items`: names in a list."""

    path: str
    promised: bool
    enum: frozenset[str]
    items: frozenset[str]
    is_json: bool
    boolean: bool


@cache
def leaves(told: Told) -> list[Leaf]:
    """Every member of a record, by the schema."""
    whole = document(told.system)
    return list(_leaves(whole, _resolved(whole, whole["components"]["schemas"][told.schema])[0], "", True, told))


def _leaves(whole: Json, schema: Json, prefix: str, promised: bool, told: Told) -> Iterator[Leaf]:
    for name, raw in schema["properties"].items():
        node, nullable = _resolved(whole, raw)
        sure = promised and name in schema.get("required", ()) and not nullable
        if "properties" in node:
            yield from _leaves(whole, node, f"{prefix}{name}.", sure, told)
            continue
        listed = "items" in node
        inside = _resolved(whole, node["items"])[0].get("properties", {}) if listed else {}
        boolean = "boolean" in node.get("type", ())
        yield Leaf(prefix + name, sure, _closed(told, name, node), frozenset(map(snake, inside)), listed, boolean)


def _closed(told: Told, name: str, node: Json) -> frozenset[str]:
    """The codes a member may hold, where none may be added within the version."""
    if "boolean" in node.get("type", ()):
        return frozenset({"true", "false"})
    grows = "codes may be added" in node.get("description", "").lower()
    # The first two say of all their lists that codes may be added; what a record's state is, is no code.
    if grows or (told.system in ("efiche", "hpemr") and name != "state"):
        return frozenset()
    return frozenset(code for code in node.get("enum", ()) if code is not None)


def _resolved(whole: Json, node: Json) -> tuple[dict[str, Any], bool]:
    """A schema with all that it refers to, and whether it may be null."""
    made: dict[str, Any] = {key: value for key, value in node.items() if key not in ("$ref", "allOf", "oneOf")}
    nullable = "null" in made.get("type", ())
    parts = [*node.get("allOf", ()), *([{"$ref": node["$ref"]}] if "$ref" in node else [])]
    parts = [whole["components"]["schemas"][p["$ref"].rpartition("/")[2]] if "$ref" in p else p for p in parts]
    options = [option for option in node.get("oneOf", ()) if option != {"type": "null"}]
    nullable |= len(options) < len(node.get("oneOf", ()))
    for part in [*parts, *options]:
        more, also = _resolved(whole, part)
        nullable |= also
        properties = {**more.get("properties", {}), **made.get("properties", {})}
        required = [*more.get("required", ()), *made.get("required", ())]
        said = " ".join(filter(None, [more.get("description"), made.get("description")]))
        made = {**more, **made, "required": required, "description": said}
        made |= {"properties": properties} if properties else {}
    return made, nullable
