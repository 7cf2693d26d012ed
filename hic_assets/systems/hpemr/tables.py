"""What HPEMR's resources hold, and the columns it lands in.

A voided record keeps all it said, so what the contract promises is required of every one. Codes may be added to any
list within version 1; only the states of a record are closed, since they say whether it counts.
"""

from __future__ import annotations

from hic_assets.extract.rest.moments import TimeForm
from hic_assets.extract.rest.paging import Cursor
from hic_assets.extract.rest.resource import ChangeFilter, Happened, Member, Resource
from hic_assets.extract.rest.windows import Window
from hic_assets.systems.mapping import HEALTH, PERSON, PLACE, always, code_list, codes, flag, listed, marked

_FACILITY = (
    always("facility_code", "facility.id", "HPEMR's own identifier of the health post, HP-00123."),
    always("facility_name", "facility.name", "Name of the health post."),
)
_NAMED = (
    always("file_number", "patient.localId", "Number of the patient's card, after that of the post."),
    Member("upi", "patient.upid", "Unique patient identifier, yyMMdd-FOSA-number."),
    always("full_name", "patient.fullName", "Names in one field, in no fixed order."),
)
_STATE = (
    always("record_state", "state", "ACTIVE or VOIDED.", allowed=codes("ACTIVE VOIDED")),
    always("created_at", "createdAt", "When the server first had it, milliseconds since 1970 in UTC."),
    always("updated_at", "lastModified", "When the server last changed it.", instant=TimeForm.EPOCH_MS),
    Member("deleted", "state", "'true' for a tombstone: it is void and keeps what it said.", true_when=codes("VOIDED")),
)


def _resource(name: str, happened: str, description: str, *members: Member) -> Resource:
    return Resource(
        name=name,
        path=f"api/v1/{name}",
        rows="items",
        paging=Cursor(page_size=500),
        window=Window("from", "to", TimeForm.EPOCH_MS),
        happened=Happened(happened, TimeForm.EPOCH_MS),
        changes=ChangeFilter("updatedSince", "updated_at", TimeForm.EPOCH_MS),
        deleted="deleted",
        description=description,
        members=members,
    )


_ENCOUNTERS = _resource(
    "encounters",
    "started_at",
    "Encounters at health posts with diagnoses and treatments: one row an encounter, by the day it began.",
    Member("encounter_id", "encounterId", "Identifier of the encounter.", key=True),
    *_FACILITY,
    always("started_at", "startedAt", "When it began, milliseconds since 1970 in UTC."),
    always("ended_at", "endedAt", "When it ended, milliseconds since 1970 in UTC."),
    *marked(
        PERSON,
        *_NAMED,
        Member("temporary_id", "patient.temporaryId", "Identifier until there is a UPI."),
        Member("national_id", "patient.nationalId", "National ID as typed; of children often a parent's."),
        Member("date_of_birth", "patient.birthDate", "Midnight in Kigali of the day, milliseconds since 1970 in UTC."),
        Member("phone", "patient.telephone", "Telephone as typed."),
    ),
    flag("date_of_birth_estimated", "patient.birthDateEstimated", "Only the year is known.", required=True),
    always("sex", "patient.gender", "male or female."),
    Member("district", "patient.address.district", "District of residence."),
    Member("sector", "patient.address.sector", "Sector of residence."),
    *marked(PLACE, Member("village", "patient.address.village", "Village of residence.")),
    always("insurance_scheme", "payer.scheme", "CBHI, RAMA, MMI, PRIVATE or NONE."),
    Member("insurance_category", "payer.category", "Of CBHI: UBUDEHE_1 to 4 until 30 June 2026, L1 to L5 after."),
    flag("new_case", "newCase", "Whether it is the first encounter for the illness.", required=True),
    *marked(
        HEALTH,
        listed("diagnoses", "diagnoses", "List of {code, display, primary}.", required=True),
        listed("treatments", "treatments", "Dispensed: list of {code, display, quantity, unit, days}.", required=True),
        always("disposition", "disposition", "TREATED_HOME or REFERRED."),
    ),
    *_STATE,
)
_REFERRALS = _resource(
    "referrals",
    "sent_at",
    "Patients sent on from an encounter: one row a referral, by the day it was sent.",
    Member("referral_id", "referralId", "Identifier of the referral.", key=True),
    always("encounter_id", "encounterId", "The encounter it comes from."),
    *_FACILITY,
    always("sent_at", "sentAt", "When it was sent, milliseconds since 1970 in UTC."),
    always("referred_to_facility_name", "referredTo.name", "Name of the health centre or hospital; names repeat."),
    *marked(PERSON, *_NAMED),
    always("sex", "patient.gender", "male or female."),
    *marked(
        HEALTH,
        always("reason_code", "reason.code", "Code of HPEMR's list of diagnoses."),
        always("reason_label", "reason.display", "What the code stands for."),
    ),
    always("urgency", "urgency", "URGENT or ROUTINE."),
    always("status", "status", "SENT, or RECEIVED once the facility says so."),
    *_STATE,
)
_FACILITIES = code_list(
    "facilities",
    "api/v1/facilities",
    "items",
    "The health posts that use HPEMR, read whole: one row a post.",
    Member("facility_code", "id", "HPEMR's own identifier of the health post, HP-00123.", key=True),
    always("name", "name", "Name of the health post."),
    always("district", "district", "District it is in."),
    always("sector", "sector", "Sector it is in."),
    Member("fosa_code", "fosaCode", "FOSA code with its zeros, where HPEMR knows it."),
)
_DIAGNOSIS_CODES = code_list(
    "diagnosis_codes",
    "api/v1/diagnoses",
    "items",
    "HPEMR's list of diagnoses, read whole: one row a code. Its reference codes are labels, not a mapping.",
    Member("code", "code", "Code, HPD-001.", key=True),
    always("label_en", "displayEn", "English label."),
    always("label_rw", "displayRw", "Label in Kinyarwanda."),
    Member("reference_system", "referenceSystem", "ICD-10 or ICD-11.", allowed=codes("ICD-10 ICD-11")),
    Member("reference_code", "referenceCode", "Code printed beside it; some are wrong."),
)
_PRODUCT_CODES = code_list(
    "product_codes",
    "api/v1/products",
    "items",
    "HPEMR's list of medicines, read whole: one row a code.",
    Member("code", "code", "Code.", key=True),
    always("label", "display", "Name with strength."),
    always("unit", "unit", "What is counted."),
)
RESOURCES = (_ENCOUNTERS, _REFERRALS, _FACILITIES, _DIAGNOSIS_CODES, _PRODUCT_CODES)
