"""What a late change of an old week does to the alerts of the weeks after it, on a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from books import execute
from outbreaks import LAST, LAST_TWO, again, make_country
from pg_servers import rows

from hic_assets.alerts.warehouse import evaluate_weeks
from hic_assets.warehouse import Warehouse

# Of VHF nothing is known before its first report, so a week judged with later ones says "not reported" of it, and alone nothing.
SAID = """
select to_jsonb(a) - 'evaluated_at' from dwh.fct_idsr_alert a where disease_code <> 'VHF'
order by disease_code, district_code, week_start, rule_code
"""


@pytest.fixture
def country(warehouse: Warehouse) -> Warehouse:
    return make_country(warehouse)


def test_later_weeks_that_look_back_at_a_late_change_are_judged_again_and_no_other_row_is(country: Warehouse) -> None:
    """Half a year of typhoid is judged by EARS: of an old week with an outbreak more, seven to eleven weeks are others."""
    weeks = [LAST - timedelta(weeks=n) for n in range(23, -1, -1)]
    evaluate_weeks(country, weeks)
    at = rows(country, "select max(evaluated_at) from dwh.fct_idsr_alert")
    late = weeks[8]
    again(country, late, 60, "101", "TYPHOID")
    written = evaluate_weeks(country, [late])
    touched = rows(
        country,
        "select distinct disease_code, district_code, week_start from dwh.fct_idsr_alert where evaluated_at > %s",
        at[0],
    )
    # Every row of the week itself, and of the weeks after only the series, as far as C3 looks back.
    later = {(d, p, (w - late).days // 7) for d, p, w in touched if w != late}
    assert later == {("TYPHOID", "101", n) for n in range(1, 12)}
    assert set(written["week_start"]) == {late + timedelta(weeks=n) for n in range(12)}
    now = rows(country, SAID)
    execute(country, "delete from dwh.fct_idsr_alert")
    evaluate_weeks(country, weeks)
    assert now == rows(country, SAID)


def test_an_old_week_landed_again_as_it_was_has_nothing_judged_again(country: Warehouse) -> None:
    evaluate_weeks(country, LAST_TWO)
    written = evaluate_weeks(country, LAST_TWO[:1])
    assert set(written["week_start"]) == set(LAST_TWO[:1])
