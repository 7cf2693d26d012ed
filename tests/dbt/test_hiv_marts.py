"""The HIV cascade and cohort by hand: the run-out rules to the day, retention, and what is kept back."""

from __future__ import annotations

from typing import Any

from dbt_runner import Dbt
from small_country import COUNTRY, GASABO, KIBAGABAGA, REMERA

STEPS = "enrolled, on_art_60, on_art_30, viral_load_done, suppressed"


def true_numbers(dbt: Dbt, month: str) -> dict[str, tuple[Any, ...]]:
    found = dbt.query(f"select org_unit_uid, {STEPS} from intermediate.int_hiv_month where period_start = '{month}'")
    return {row[0]: row[1:] for row in found}


def test_the_cascade_at_the_end_of_march(marts: Dbt) -> None:
    """Six of each. Enrolled: all but E, who died. By 60 days: without D too, by 30 without B and C either. G and H have a viral
    load, G is suppressed; F's is too old. Noted as lost while the drugs last, G is on treatment. One person moved."""
    found = true_numbers(marts, "2024-03-01")
    assert found[KIBAGABAGA] == (7 * 6, 6 * 6, 4 * 6, 2 * 6, 1 * 6)
    assert found[REMERA] == (1, 1, 1, 0, 0)
    assert found[GASABO] == found[COUNTRY] == (43, 37, 25, 12, 6)


def test_the_cascade_a_month_before(marts: Dbt) -> None:
    """29 February: E, G and H came in March, F was away; the drugs of C and D ran out 29 and 30 days before, within 30 days."""
    assert true_numbers(marts, "2024-02-01")[KIBAGABAGA] == (7 * 6 + 1, 4 * 6, 4 * 6, 0, 0)


def test_what_is_shown_and_what_is_kept_back(marts: Dbt) -> None:
    columns = f"{STEPS}, round(on_art_30_share::numeric, 2)::float, suppressed_share, is_suppressed"
    found = marts.query(
        f"select org_unit_uid, {columns} from reporting.rpt_hiv_cascade where period = '2024-03' and level <> 'province'"
    )
    shown = {row[0]: row[1:] for row in found}
    # 25 of 43.
    assert shown[COUNTRY] == shown[GASABO] == (43, 37, 25, 12, 6, 58.14, 50, False)
    # The one at Remera is small, and what is beside it would be the rest.
    hidden = (None, None, None, None, None, None, None, True)
    assert shown[REMERA] == shown[KIBAGABAGA] == hidden


def test_a_quarter_and_a_year_are_as_of_their_last_month(marts: Dbt) -> None:
    found = marts.query(
        "select period, in_care_at_end_of::text, enrolled, tested, positive from reporting.rpt_hiv_cascade"
        f" where org_unit_uid = '{COUNTRY}' and period_type <> 'month' and is_care_built order by period"
    )
    assert found == [(p, "2024-03-01", 43, None, None) for p in ("2024", "2024Q1", "fy_2023_24")]


def test_the_estimate_is_there_where_nobody_was_counted(marts: Dbt) -> None:
    """860 live with HIV by the estimate of August, of which nobody in care is counted yet; of the year, 43 are 5 per cent of them."""
    found = marts.query(
        "select period, living_with_hiv, enrolled, enrolled_share, is_suppressed, is_care_built from reporting.rpt_hiv_cascade"
        f" where org_unit_uid = '{COUNTRY}' and period in ('2024-03', '2024-08', '2024Q3', '2024') order by period"
    )
    assert found == [
        ("2024", 860, 43, 5, False, True),
        ("2024-03", None, 43, None, False, True),
        ("2024-08", 860, None, None, False, False),
        ("2024Q3", 860, None, None, False, False),
    ]


def test_retention_by_quarter_of_start(marts: Dbt) -> None:
    """On 15 March 2024. E died that day. Of C and D the drugs ran out 44 and 45 days before; F left, and was back on 10 March."""
    columns = (
        "started, transferred_out, died, denominator, retained_30, retained_60, round(retention_60::numeric, 2)::float"
    )
    found = marts.query(
        f"select quarter_started, months_on, {columns} from reporting.rpt_hiv_cohort where org_unit_uid = '{COUNTRY}'"
    )
    assert found == [("2023Q1", 12, 36, 0, 6, 36, 18, 30, 83.33)]
