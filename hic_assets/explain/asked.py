"""The period asked for, as the reports name it. Pure: whether it is loaded is asked elsewhere."""

from __future__ import annotations

import re

from hic_assets.explain.model import Asked
from hic_assets.periods import NotAPeriod, Period, PeriodType, parse_period

_FISCAL = re.compile(r"fy_(\d{4})_\d{2}", re.IGNORECASE)
_TYPES = {
    PeriodType.MONTHLY: "month",
    PeriodType.QUARTERLY: "quarter",
    PeriodType.YEARLY: "year",
    PeriodType.FINANCIAL_JULY: "fiscal_year",
}
_HOW = "months (202610, 2026-10), quarters (2026Q3), years (2026) and fiscal years from July (fy_2026_27, 2026July)"


def asked_period(text: str) -> Asked:
    """The period of a text, in DHIS2's spelling or the reports' own.

    Raises:
        NotAPeriod: it is none, or one for which indicators have no values.
    """
    given = text.strip()
    fiscal = _FISCAL.fullmatch(given)
    try:
        period = parse_period(f"{fiscal[1]}July" if fiscal else given.replace("q", "Q"))
    except NotAPeriod as error:
        raise NotAPeriod(f"{text!r} is no period; there are {_HOW}") from error
    if period.type not in _TYPES:
        raise NotAPeriod(f"{text!r} is {period.type.value}, and indicators have values of {_HOW}")
    asked = Asked(_TYPES[period.type], _label(period), period.start, period.end)
    if fiscal and asked.label != given.lower():
        raise NotAPeriod(f"{text!r} is no fiscal year: the one that begins in {fiscal[1]} is {asked.label}")
    return asked


def _label(period: Period) -> str:
    if period.type is PeriodType.MONTHLY:
        return f"{period.start:%Y-%m}"
    if period.type is PeriodType.FINANCIAL_JULY:
        return f"fy_{period.start.year}_{period.end.year % 100:02}"
    return period.id
