"""Where few facilities have reported, a quiet week is not known to be quiet; an alarm stands."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from hic_assets.alerts.completeness import LEAST_SHARE, REPORTED, doubted
from hic_assets.alerts.weekly import VERDICTS

WEEK = date(2026, 3, 2)


def verdict(method: str, fired: bool | None, why: str | None = None) -> pl.DataFrame:
    row = {"disease_code": "ILI", "district_code": "101", "week_start": WEEK, "method": method, "rule_code": method}
    return pl.DataFrame([{**dict.fromkeys(VERDICTS), **row, "has_fired": fired, "why_unknown": why}], schema=VERDICTS)


def reported(share: float | None) -> pl.DataFrame:
    return pl.DataFrame([("ILI", "101", WEEK, share)], schema=REPORTED, orient="row")


@pytest.mark.parametrize(
    ("method", "fired", "share", "said"),
    [
        ("farrington", False, LEAST_SHARE - 0.01, (None, "too_few_reports")),
        ("ears_c1", False, 0.0, (None, "too_few_reports")),
        ("farrington", False, LEAST_SHARE, (False, None)),
        ("farrington", True, 0.1, (True, None)),
        ("fixed", False, 0.1, (False, None)),
        ("rate", False, 0.1, (False, None)),
        ("farrington", False, None, (False, None)),
    ],
)
def test_only_quiet_statistics_with_few_reports_are_doubted(
    method: str, fired: bool, share: float | None, said: tuple[bool | None, str | None]
) -> None:
    (row,) = doubted(verdict(method, fired), reported(share)).to_dicts()
    assert (row["has_fired"], row["why_unknown"], row["reported_share"]) == (*said, share)


def test_what_cannot_say_keeps_its_reason_and_no_verdict_is_lost() -> None:
    both = pl.concat([verdict("farrington", None, "history_too_short"), verdict("fixed", True)])
    found = doubted(both, reported(0.1))
    assert found["why_unknown"].to_list() == ["history_too_short", None]
    unknown = doubted(both, pl.DataFrame(schema=REPORTED))
    assert unknown.height == 2 and unknown["reported_share"].to_list() == [None, None]
