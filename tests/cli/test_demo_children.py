"""Runs of the demo as child processes: side by side, none after a failure, none left behind."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from hic_assets.cli import cli, demo_children
from hic_assets.cli.demo_children import AT_ONCE, run_side_by_side
from hic_assets.cli.demo_plan import Planned, Span, planned_stages
from hic_assets.systems import SYSTEMS

# What is executed in place of a run: notes when it began and ended, and ends as its tags say.
STAND_IN = """
import json, os, time
def run(order):
    note = order.log.with_suffix("." + order.job)
    note.write_text(str(os.getpid()))
    how = order.tags["how"]
    if how == "waits":
        while not order.log.with_suffix(".go").exists():
            time.sleep(0.02)
    if how == "dies":
        os._exit(9)
    checks = {"raw.x": {"passed": 2, "warned": ["w"], "failed": []}}
    said = {"run_id": order.run_id, "success": how != "fails", "checks": checks, "failures": [], "unanswered": []}
    order.told.write_text(json.dumps(said))
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("stand_in", None)
    monkeypatch.setattr(demo_children, "EXECUTE", importlib.import_module("stand_in").run)
    return tmp_path / "demo.log"


def planned(job: str, how: str) -> Planned:
    return Planned(job, job, {"how": how})


def began(log: Path) -> set[str]:
    return {path.suffix[1:] for path in log.parent.glob("demo.*") if path.suffix[1:] not in ("log", "go")}


def test_each_says_what_came_of_it(log: Path) -> None:
    ended = {child.planned.job: (child, outcome) for child, outcome in run_side_by_side([planned("a", "ends")], log)}
    child, outcome = ended["a"]
    assert outcome.success and outcome.run_id == child.run_id
    assert outcome.checks["raw.x"].words() == "2 passed, 1 warned"


def test_so_many_at_once_and_the_next_when_one_has_ended(log: Path) -> None:
    all_wait = [planned(f"a{n}", "waits") for n in range(AT_ONCE - 1)]
    runs = run_side_by_side([*all_wait, planned("b", "ends"), planned("c", "ends")], log)
    assert next(runs)[0].planned.job == "b"
    until(lambda: began(log) >= {"b", *(run.job for run in all_wait)})
    assert next(runs)[0].planned.job == "c"
    log.with_suffix(".go").touch()
    assert {child.planned.job for child, _ in runs} == {run.job for run in all_wait}


@pytest.mark.parametrize("how", ["fails", "dies"])
def test_after_a_failure_none_begins_and_what_is_under_way_ends_well(
    log: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_children, "AT_ONCE", 2)
    runs = run_side_by_side([planned("a", "waits"), planned("b", how), planned("c", "ends")], log)
    _, outcome = next(runs)
    assert not outcome.success
    assert how == "fails" or "without a word" in outcome.failures[0]
    log.with_suffix(".go").touch()
    assert [(child.planned.job, outcome.success) for child, outcome in runs] == [("a", True)]
    assert began(log) == {"a", "b"}


def test_what_is_left_undone_is_ended(log: Path) -> None:
    runs = run_side_by_side([planned("a", "waits"), planned("b", "ends")], log)
    next(runs)
    until(log.with_suffix(".a").exists)
    pid = int(log.with_suffix(".a").read_text())
    runs.close()  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_run_ends_with_the_demo_that_was_killed(tmp_path: Path) -> None:
    """The real child, whose run would take for ever; and which looks after what it was forked from."""
    (tmp_path / "for_ever.py").write_text(
        "import os, time\n"
        "from hic_assets.cli import demo_run\n"
        "def run(order):\n"
        "    def execute(*_):\n"
        "        order.log.with_suffix('.pid').write_text(str(os.getpid()))\n"
        "        time.sleep(600)\n"
        "    demo_run.execute = execute\n"
        "    demo_run.run(order)\n"
    )
    demo = f"""
import sys, time
from pathlib import Path
sys.path.insert(0, {str(tmp_path)!r})
import for_ever
from hic_assets.cli import cli, demo_children
from hic_assets.cli.demo_plan import Planned
demo_children.EXECUTE = for_ever.run
child = demo_children.Child(Planned("j", "j"), Path({str(tmp_path / "demo.log")!r}))
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", demo])
    pid = tmp_path / "demo.pid"
    until(lambda: pid.exists() and bool(pid.read_text()))  # it executes
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    until(lambda: not Path(f"/proc/{pid.read_text()}").exists())


def until(comes: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not comes():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_registries_come_first_and_every_cadence_has_its_run() -> None:
    first, second, last = planned_stages(list(SYSTEMS), Span(months=12, weeks=8))
    assert [run.job for run in first] == ["all_reference"]
    assert [run.job for run in second] == ["all_weekly", "hmis_monthly", "records_monthly"]
    assert [run.job for run in last] == ["identity", "disruption"]
    some = [system for system in SYSTEMS if system.name in ("hmis", "hiv_tracker")]
    *references, rest, judged = planned_stages(some, Span(months=2, weeks=4))
    assert [[run.job for run in stage] for stage in references] == [["hmis_reference"], ["hiv_tracker_reference"]]
    assert [run.job for run in rest] == ["hmis_weekly", "hiv_tracker_weekly", "hmis_monthly"]
    assert [run.job for run in judged] == ["disruption"]


@pytest.mark.parametrize("arguments", [("--months", "0"), ("--weeks", "-1"), ("--scale", "0")])
def test_nothing_to_load_is_refused_before_anything_starts(arguments: tuple[str, str]) -> None:
    """Of no months the last none are all there are: it would load every month since 2020."""
    refused = CliRunner().invoke(cli, ["demo", *arguments])
    assert refused.exit_code == 2 and arguments[0] in refused.output
