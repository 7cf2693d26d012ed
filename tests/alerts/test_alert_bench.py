"""The numbers of `hic bench --only alerts`: intervals, and how a rule is counted, on cases small enough to do by hand."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from hic_assets.alerts import Outbreak
from hic_assets.alerts.judge import Series
from hic_assets.alerts.rules import METHODS, Method, Rule
from hic_assets.bench.alerts import LONG, SHORT, Tally, Watched, ask, count, design_effect, interval

SINGLE = Rule("VHF", "single", Method.FIXED, threshold=1, weeks=1)
MANY = Rule("VHF", "many", Method.FIXED, threshold=5, weeks=1)
C2 = Rule("VHF", "ears_c2", Method.EARS_C2)


@pytest.mark.parametrize(("hits", "trials"), [(0, 20), (20, 20), (7, 20), (3, 1000)])
def test_wilsons_interval(hits: int, trials: int) -> None:
    assert interval(hits, trials) == pytest.approx(proportion_confint(hits, trials, method="wilson"), abs=1e-9)
    assert interval(hits, trials, 2.0) == pytest.approx(
        proportion_confint(hits / 2, trials / 2, method="wilson"), abs=1e-9
    )


def test_nothing_has_no_interval() -> None:
    assert interval(0, 0) is None


def test_alarms_that_come_in_series_say_less() -> None:
    # Two in a hundred, each all of its series of ten: the variance of ten series, not of a hundred weeks.
    together = [(10, 10), (10, 10), *[(0, 10)] * 8]
    among = 10 / 9 * (2 * 8**2 + 8 * 2**2) / 100**2
    assert design_effect(together) == pytest.approx(among / (0.2 * 0.8 / 100))
    assert design_effect([(2, 10)] * 10) == 1.0
    assert design_effect([(0, 10)] * 10) == design_effect([(10, 10), (0, 0)]) == design_effect([]) == 1.0


@pytest.fixture
def watched() -> Watched:
    """Two districts of 20 weeks: an outbreak of three weeks in the second, one case outside of it in the first."""
    cases = np.zeros((2, 20))
    cases[0, 3] = 1
    cases[1, 12:16] = [0, 6, 9, 2]
    quiet = np.zeros((2, 20), dtype=bool)
    quiet[:, [3, 4, 13]] = True
    quiet[1, 12:19] = False
    return Watched("VHF", Series(cases, np.full(2, 1e5)), [Outbreak(1, 12, 3)], quiet, np.array([3, 4, 13]))


def test_only_outbreaks_and_the_sample_are_judged(watched: Watched) -> None:
    said = ask(SINGLE, watched, METHODS)
    assert np.argwhere(said.known).tolist() == [[0, 3], [0, 4], [0, 13], [1, 3], [1, 4], [1, 12], [1, 13], [1, 14]]
    assert np.argwhere(said.alarm).tolist() == [[0, 3], [1, 13], [1, 14]]


def test_a_rule_is_counted_once_a_series(watched: Watched) -> None:
    tally = Tally()
    tally.add(ask(SINGLE, watched, METHODS), watched)
    tally.add(ask(MANY, watched, METHODS), watched)
    assert (tally.detected, tally.outbreaks, tally.days) == (2, 2, [7, 7])
    assert tally.clusters == [(1, 3), (0, 2), (0, 3), (0, 2)]
    row = tally.row("both")
    assert (row["found_pct"], row["days_median"], row["quiet_weeks"], row["false_per_1000"]) == (100.0, 7.0, 10, 100.0)
    assert row["found_95"] == "34 to 100"


def test_rules_alone_and_together(watched: Watched) -> None:
    tallies: dict[str, Tally] = defaultdict(Tally)
    count([MANY, C2], watched, tallies)
    assert set(tallies) == {"many", "ears_c2", LONG, SHORT, "VHF, five years"}
    # C2 needs nine weeks, so weeks 3 and 4 are not judged; five in a week are known from the first on.
    assert tallies["ears_c2"].clusters == [(0, 1), (0, 0)]
    assert tallies[SHORT].clusters == tallies[LONG].clusters == [(0, 3), (0, 2)]
    assert tallies["ears_c2"].row("C2")["found_pct"] == 100.0


def test_a_rule_that_was_never_asked() -> None:
    row = Tally().row("none")
    assert {
        row[name] for name in ("found_pct", "found_95", "days_mean", "days_median", "false_per_1000", "false_95")
    } == {None}
