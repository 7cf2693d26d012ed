"""What is expected of each fault in each system; and where a system differs, why. A fault without expectation fails a test.

Belongs here: the table. Does not: running it (`test_faults`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hic_assets.extract import errors
from hic_assets.extract.errors import SourceError


@dataclass(frozen=True)
class Failed:
    """The run fails with this error, which says these words, and the partition stays as it was. `why`: it differs."""

    error: type[SourceError]
    words: str
    why: str = ""


@dataclass(frozen=True)
class Counted:
    """Everything lands once; what came again is counted as duplicate."""

    why: str = ""


@dataclass(frozen=True)
class Quarantined:
    """The good records land, the bad ones are kept apart by this rule. `beside`: a good one came all the same."""

    rule: str
    words: str
    beside: bool = False
    why: str = ""


@dataclass(frozen=True)
class Landed:
    """The records land as they came, for the crosswalks of dbt to judge."""

    why: str


@dataclass(frozen=True)
class NotThere:
    """The system's server cannot do this: with the fault on, the load is as without."""

    why: str


Expected = Failed | Counted | Quarantined | Landed | NotThere


@dataclass(frozen=True)
class Case:
    """A fault, how it is set, and what is expected of it; `different`: by the name of a system."""

    fault: str
    options: Mapping[str, Any]
    everywhere: Expected
    different: Mapping[str, Expected] = field(default_factory=dict)

    def of(self, system: str) -> Expected:
        return self.different.get(system, self.everywhere)


# ---- what passes by itself when it happens once, one after the other in one run
ONCE: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("unavailable", {"retry_after": 5}),
    ("rate_limited", {"retry_after": 2}),
    ("reset", {}),
    ("empty_body", {}),
    ("cut_body", {}),
    ("truncated_body", {}),
    ("truncated_json", {}),
    ("html_login", {}),
    ("slow", {"seconds": 0.02, "trickle": 4}),
)

# ---- what does not pass
_JSON_STOPS = Failed(errors.TruncatedBody, "the JSON body stops before its end")
_UNZIPPED = Failed(
    errors.TruncatedBody, "the compressed body stops", why="its exports are compressed, and the cut is seen there first"
)
TRANSPORT = (
    Case("unavailable", {}, Failed(errors.ServerFault, "HTTP 503")),
    Case("rate_limited", {}, Failed(errors.ServerFault, "HTTP 429")),
    Case("slow", {"seconds": 30}, Failed(errors.TimedOut, "no reply within 0.15 s")),
    Case("cut_body", {}, Failed(errors.TruncatedBody, "the body was cut")),
    Case(
        "truncated_body",
        {},
        _JSON_STOPS,
        {"hmis": Failed(errors.TruncatedBody, "stops inside a row", why="values come as CSV"), "cemr": _UNZIPPED},
    ),
    Case(
        "truncated_json",
        {},
        _JSON_STOPS,
        {"hmis": Failed(errors.TruncatedBody, "stops inside a row", why="values come as CSV"), "cemr": _UNZIPPED},
    ),
    Case("html_login", {}, Failed(errors.HtmlInsteadOfData, "a web page titled")),
    Case("html_404", {}, Failed(errors.NotFound, "HTTP 404")),
    Case("redirect", {}, Failed(errors.RedirectRefused, "the credentials were not sent there")),
    Case("reset", {}, Failed(errors.Unreachable, "no connection")),
    Case("empty_body", {}, Failed(errors.TruncatedBody, "the body is empty"), {"cemr": _UNZIPPED}),
)

# ---- records
_MORE_THAN_TOLD = Failed(
    errors.ChangedWhileRead,
    "records came of a total of",
    why="the list tells how many records it has, and more came: whether they are all there nobody can say",
)
_NOT_OF_TRACKERS: Expected = NotThere(
    "a tracker keeps keys apart, and its own servers' faults are met in tests/tracker"
)
_NO_REGISTRY = Landed(
    "no registry to hold it against: codes are matched in dbt (int_facility_crosswalk), or shown unmapped"
)
_MORE_THAN_ASKED = Failed(
    errors.UnexpectedContent,
    "records where 20 were asked for",
    why="the next page is asked for from behind what came: a record that comes twice would hide another",
)
_TOLD: Mapping[str, Expected] = {"efiche": _MORE_THAN_TOLD, "ebuzima": _MORE_THAN_TOLD, "idsr": _MORE_THAN_ASKED}
RECORDS = (
    Case("duplicates", {"rows": 1}, Counted(), {"hiv_tracker": _NOT_OF_TRACKERS, **_TOLD}),
    Case(
        "conflicting_duplicates",
        {"rows": 1},
        Quarantined("duplicate_key", "", beside=True),
        {"hiv_tracker": _NOT_OF_TRACKERS, **_TOLD},
    ),
    Case(
        "bad_values",
        {"rows": 1},
        Quarantined("not_a_date", "is no day of the form"),
        {"hmis": Quarantined("not_a_number", "is not a number"), "hiv_tracker": _NOT_OF_TRACKERS},
    ),
    Case(
        "unknown_facility",
        {"rows": 1},
        _NO_REGISTRY,
        {
            "hmis": Quarantined("unknown_facility", "is not in raw.hmis_organisation_units", beside=True),
            "hiv_tracker": _NOT_OF_TRACKERS,
        },
    ),
    Case(
        "invalid_utf8",
        {"rows": 1},
        Quarantined("not_text", "are no UTF-8"),
        {"hmis": Quarantined("invalid_utf8", "is not UTF-8"), "hiv_tracker": _NOT_OF_TRACKERS},
    ),
)

# ---- rights
RIGHTS = (
    Case(
        "no_access",
        {},
        Failed(errors.AuthError, "may not read"),
        {
            "hmis": NotThere(
                "an account without rights is given fewer data sets, under status 200: tests/fault/test_ranges.py and "
                "tests/dagster/test_weekly_runs.py"
            ),
            "hiv_tracker": Failed(
                errors.QueryRefused, "User has no access to program", why="until 2.40 it says so with 409"
            ),
        },
    ),
)
CASES = (*TRANSPORT, *RECORDS, *RIGHTS)

# ---- where a system is asked for a token first: the same of that address
DOORS = {"hpemr": "/hpemr/oauth/"}

# Of one protocol alone, with the tests that meet them.
ELSEWHERE = {
    "timeout_over_rows": "the HMIS divides a request: tests/fault/test_faults.py",
    "ou_ignored": "organisation units of the HMIS: tests/fault/test_faults.py",
    "wrong_columns": "header of the HMIS's CSV: tests/fault/test_faults.py",
    "ragged_rows": "the HMIS's CSV: tests/fault/test_faults.py",
    "unknown_data_element": "registry of the HMIS: tests/fault/test_faults.py",
    "impossible_period": "periods of the HMIS: tests/fault/test_faults.py",
    "wrong_system_id": "a DHIS2 says who it is: tests/fault/test_faults.py, test_access.py",
    "timeout_over": "trackers divide a request: tests/contract/test_tracker_sandbox.py",
    "short_pages": "pages of trackers: tests/dagster/test_tracker_runs.py",
    "paced": "speed of trackers: tests/contract/test_tracker_sandbox.py",
}
