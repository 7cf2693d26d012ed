"""What EBUZIMA's resources hold, and the columns it lands in.

A voided record keeps all it said, so what the contract promises is required of every one. Its lists of codes are
closed, but for those that say that codes may be added.
"""

from __future__ import annotations

from hic_assets.extract.rest.moments import TimeForm
from hic_assets.extract.rest.paging import LinkHeader
from hic_assets.extract.rest.resource import ChangeFilter, Happened, Member, Resource
from hic_assets.extract.rest.windows import Window
from hic_assets.systems.mapping import HEALTH, PERSON, PLACE, always, codes, flag, listed, marked

_FACILITY = (
    always("facility_code", "facility.fosaCode", "FOSA code with leading zeros."),
    always("facility_name", "facility.name", "Name as the installer typed it; never a key."),
)
_PATIENT = (
    always("patient_id", "patient.uuid", "The woman at this facility; elsewhere she has another."),
    *marked(
        PERSON,
        Member("upi", "patient.upi", "Unique patient identifier, yyMMdd-FOSA-number."),
        Member("temporary_id", "patient.tempId", "Identifier until there is a UPI."),
        Member("national_id", "patient.nid", "National ID as typed."),
        Member("family_name", "patient.familyName", "Surname, usually."),
        Member("given_name", "patient.givenName", "Other names, usually."),
        Member("date_of_birth", "patient.birthDate", "ISO day."),
        Member("phone", "patient.phone", "Telephone as typed."),
    ),
    flag("date_of_birth_estimated", "patient.birthDateEstimated", "Only the year is known.", required=True),
    Member("sector", "patient.address.sector", "Sector of residence."),
    *marked(PLACE, Member("village", "patient.address.village", "Village of residence.")),
)
_STATE = (
    Member("void_reason", "voidReason", "NULL while it stands.", allowed=codes("ENTERED_IN_ERROR DUPLICATE")),
    always("created_at", "dateCreated", "When it was typed in, ISO with the offset of Kigali."),
    always("updated_at", "dateChanged", "When the server last changed it.", instant=TimeForm.ISO_TIME),
    flag("deleted", "voided", "'true' for a tombstone: the record is void and keeps what it said.", required=True),
)
_HIV_STATUS = always("hiv_status", "hivStatus", "Of the mother.", allowed=codes("NEGATIVE POSITIVE UNKNOWN"))
_STATUSES = codes("ONGOING DELIVERED LOST TRANSFERRED_OUT LOST_TO_FOLLOW_UP MOTHER_DIED")
_OUTCOMES = codes("LIVE_BIRTH FRESH_STILLBIRTH MACERATED_STILLBIRTH")
_PREGNANCY = Member("pregnancy_id", "pregnancy.uuid", "The pregnancy; NULL where no registration was found.")
_SYSTOLIC = Member("systolic", "systolic", "Blood pressure, mmHg.")
_DIASTOLIC = Member("diastolic", "diastolic", "Blood pressure, mmHg.")
_DANGER_SIGNS = listed("danger_signs", "dangerSigns", "List of codes; more may be added.", required=True)


def _resource(name: str, happened: str, description: str, *members: Member) -> Resource:
    return Resource(
        name=name,
        path=f"api/v1/{name.replace('_', '-')}",
        rows="results",
        paging=LinkHeader(page_size=100, total_header="X-Total-Count"),
        window=Window("startDate", "endDate", TimeForm.ISO_TIME),
        happened=Happened(happened, TimeForm.ISO_TIME),
        changes=ChangeFilter("updatedSince", "updated_at"),
        deleted="deleted",
        description=description,
        members=members,
    )


_PREGNANCIES = _resource(
    "pregnancies",
    "registered_at",
    "Pregnancies registered at a facility: one row a registration, by its day.",
    Member("pregnancy_id", "uuid", "Identifier of the pregnancy's registration.", key=True),
    *_FACILITY,
    always("registered_at", "registeredAt", "When it was registered, ISO with the offset of Kigali."),
    *_PATIENT,
    *marked(PERSON, always("anc_number", "ancNumber", "Number in the antenatal register; not unique.")),
    *marked(
        HEALTH,
        Member("last_menstrual_period", "lastMenstrualPeriod", "First day, as she remembers it; ISO day."),
        Member("estimated_delivery_date", "estimatedDeliveryDate", "ISO day."),
        always("dating_method", "datingMethod", "How the dates are known.", allowed=codes("LMP ULTRASOUND")),
        always("gravida", "gravida", "Pregnancies, this one included."),
        always("parity", "parity", "Births after 28 weeks before this one."),
        _HIV_STATUS,
        flag("on_art", "onArt", "On antiretroviral treatment; NULL unless HIV positive."),
        listed("risk_factors", "riskFactors", "List of codes; more may be added.", required=True),
        always("status", "status", "How it goes, as far as the facility heard.", allowed=_STATUSES),
        Member("status_date", "statusDate", "The day from which it is so; ISO day."),
    ),
    *_STATE,
)
_ANC_CONTACTS = _resource(
    "anc_contacts",
    "encounter_at",
    "Antenatal contacts: one row a contact, by its day.",
    Member("anc_contact_id", "uuid", "Identifier of the contact.", key=True),
    *_FACILITY,
    _PREGNANCY,
    always("patient_id", "patientUuid", "The woman, as in her pregnancy's registration."),
    always("encounter_at", "encounterAt", "When it was, ISO with the offset of Kigali."),
    always("contact_number", "contactNumber", "Of the pregnancy, wherever the contacts were: 1 to 8."),
    *marked(
        HEALTH,
        always("gestational_age_weeks", "gestationalAgeWeeks", "Completed weeks."),
        Member("weight_kg", "weightKg", "Kilograms."),
        _SYSTOLIC,
        _DIASTOLIC,
        Member("muac_cm", "muacCm", "Mid-upper-arm circumference, centimetres."),
        Member("fundal_height_cm", "fundalHeightCm", "Centimetres, from 16 weeks."),
        Member("foetal_heart_rate", "foetalHeartRate", "A minute, from 20 weeks."),
        Member("haemoglobin_g_dl", "haemoglobin", "Grams a decilitre."),
        Member("proteinuria", "proteinuria", "Urine strip.", allowed=codes("NEGATIVE TRACE POSITIVE")),
        Member("syphilis_test", "syphilisTest", "At the first contact.", allowed=codes("NON_REACTIVE REACTIVE")),
        Member("hiv_test", "hivTest", "At the first contact and from 28 weeks.", allowed=codes("NEGATIVE POSITIVE")),
        Member("td_dose", "tdDose", "Which dose of tetanus-diphtheria was given; NULL when none."),
        always("iron_folate_tablets", "ironFolateTablets", "Tablets given."),
        flag("net_given", "netGiven", "A treated mosquito net; asked at the first contact."),
        flag("dewormed", "dewormed", "Asked at the second contact."),
        _DANGER_SIGNS,
    ),
    Member("next_appointment", "nextAppointment", "ISO day."),
    *_STATE,
)
_DELIVERIES = _resource(
    "deliveries",
    "delivered_at",
    "Deliveries at a facility, twins too: one row a delivery, by the day of the first birth.",
    Member("delivery_id", "uuid", "Identifier of the delivery.", key=True),
    *_FACILITY,
    _PREGNANCY,
    *_PATIENT,
    always("delivered_at", "deliveredAt", "Moment of the first birth, ISO with the offset of Kigali."),
    *marked(
        HEALTH,
        Member("gestational_age_weeks", "gestationalAgeWeeks", "Completed weeks."),
        always("mode", "mode", "How.", allowed=codes("SPONTANEOUS_VAGINAL CAESAREAN VACUUM BREECH")),
        always("attendant", "attendant", "Who; NONE: born before arrival.", allowed=codes("MIDWIFE NURSE DOCTOR NONE")),
        always("babies", "babies", "Children born."),
        always("live_births", "liveBirths", "Of these alive."),
        always("stillbirths", "stillbirths", "Of these not."),
        _HIV_STATUS,
        listed("complications", "complications", "List of codes; more may be added.", required=True),
        flag("uterotonic_given", "uterotonicGiven", "Against bleeding.", required=True),
        Member("blood_loss_ml", "bloodLossMl", "Millilitres."),
        always("mother_condition", "motherCondition", "When she left.", allowed=codes("GOOD REFERRED DIED")),
        Member("discharge_date", "dischargeDate", "ISO day; NULL where she was referred or died."),
    ),
    *_STATE,
)
_NEWBORNS = _resource(
    "newborns",
    "born_at",
    "Children born at a facility, stillborn ones included: one row a child, by the day of birth.",
    Member("newborn_id", "uuid", "Identifier of the child's record.", key=True),
    *_FACILITY,
    Member("delivery_id", "delivery.uuid", "The delivery; twins share it."),
    *marked(
        PERSON,
        always("born_at", "bornAt", "Moment of birth, ISO with the offset of Kigali."),
        Member("upi", "upi", "Unique patient identifier; NULL for a stillbirth."),
    ),
    always("birth_order", "birthOrder", "Place among the children of the delivery."),
    always("sex", "sex", "M or F.", allowed=codes("M F")),
    *marked(
        HEALTH,
        Member("weight_g", "weightGrams", "Grams."),
        always("apgar_1", "apgar1", "0 to 10, after one minute."),
        always("apgar_5", "apgar5", "0 to 10, after five minutes."),
        always("outcome", "outcome", "Alive or not.", allowed=_OUTCOMES),
        flag("resuscitated", "resuscitated", "Breathing was helped.", required=True),
        flag("breastfed_within_hour", "breastfedWithinHour", "NULL for a stillbirth."),
        Member("death_date", "deathDate", "Of a death before discharge; ISO day."),
        Member("bcg_date", "bcgDate", "BCG given by the maternity; ISO day."),
        Member("opv0_date", "opv0Date", "OPV0 given by the maternity; ISO day."),
    ),
    *_STATE,
)
_POSTNATAL_CONTACTS = _resource(
    "postnatal_contacts",
    "encounter_at",
    "Postnatal contacts of a mother with her living children: one row a contact, by its day.",
    Member("postnatal_contact_id", "uuid", "Identifier of the contact.", key=True),
    *_FACILITY,
    Member("delivery_id", "delivery.uuid", "The delivery; NULL where the birth is not in the system."),
    *_PATIENT,
    always("encounter_at", "encounterAt", "When it was, ISO with the offset of Kigali."),
    always("contact_number", "contactNumber", "Planned: 1 within 24 hours, 2 day 3, 3 days 7 to 14, 4 six weeks."),
    always("days_after_birth", "daysAfterBirth", "Completed days."),
    *marked(
        HEALTH,
        Member("temperature_c", "motherTemperature", "Of the mother, degrees Celsius."),
        _SYSTOLIC,
        _DIASTOLIC,
        _DANGER_SIGNS,
        always("breastfeeding", "breastfeeding", "How.", allowed=codes("EXCLUSIVE MIXED NONE")),
        always("family_planning", "familyPlanning", "Method begun; codes may be added."),
        listed("newborns", "newborns", "List of {uuid, weightGrams, temperature, dangerSigns}.", required=True),
    ),
    *_STATE,
)
RESOURCES = (_PREGNANCIES, _ANC_CONTACTS, _DELIVERIES, _NEWBORNS, _POSTNATAL_CONTACTS)
