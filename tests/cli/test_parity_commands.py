"""`hic parity` and `hic cutover`: what they print, their JSON, and what their exit codes say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result
from hic_command import Hic
from parity.builders import EVENTS, LEGACY, TE, UNIFIED, WEEK, hold, hold_week, prepare, records, trusted, valued
from pg_servers import rows

from hic_assets.cli import cli, cutover, parity
from hic_assets.systems import PROGRAMMES, SYSTEMS
from hic_assets.systems.hiv_tracker import HIV_TRACKER
from hic_assets.warehouse import Warehouse


@pytest.fixture
def run(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch):
    """Run a command of `hic` in this process on the warehouse, with a tracker that is ready after two partitions."""
    declared = trusted(clean_partitions=2)
    systems = [declared if s is HIV_TRACKER else s for s in SYSTEMS]
    programmes = [declared.programmes[0] if p.name == "hiv" else p for p in PROGRAMMES]
    for module in (parity, cutover):
        monkeypatch.setattr(module, "SYSTEMS", systems)
    monkeypatch.setattr(parity, "PROGRAMMES", programmes)
    monkeypatch.setenv("HIC_WAREHOUSE_URL", warehouse.url)
    prepare(warehouse, declared)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, list(arguments))

    return invoke


def two_weeks(warehouse: Warehouse, **second: object) -> None:
    hold_week(warehouse, WEEK)
    hold_week(warehouse, WEEK + timedelta(days=7), **second)  # type: ignore[arg-type]


class TestParity:
    def test_every_programme_in_a_line(self, run, warehouse: Warehouse) -> None:
        two_weeks(warehouse)
        done = run("parity", "--compare")
        assert done.exit_code == 0, done.output
        assert "Legacy against unified" in done.output
        assert "tb is not ready: nothing is loaded." in done.output
        assert "hiv is not ready" not in done.output
        found = {one["programme"]: one for one in json.loads(run("parity", "--json").stdout)}
        assert set(found) == {p.name for p in PROGRAMMES}
        assert found["hiv"]["ready"] and found["hiv"]["clean_in_a_row"] == 2 and found["hiv"]["pipeline"] == "legacy"

    def test_one_programme_with_its_partitions_and_first_differences(self, run, warehouse: Warehouse) -> None:
        two_weeks(warehouse, differ=[EVENTS])
        done = run("parity", "hiv")
        assert done.exit_code == 1
        for words in ("Partitions of hiv", "2025-03-10", "missing_in_unified 1", "First differences", "event000000"):
            assert words in done.output
        assert (
            "hiv is not ready: 0 of 2 partitions in a row are clean: 2025-03-10 is not (events differs (1))."
            in done.output
        )
        found = json.loads(run("parity", "hiv", "--json").stdout)
        (bad,) = [row for row in found["partitions"] if row["state"] == "differs"]
        assert (
            bad.items() >= {"partition": "2025-03-10", "table": "events", "classes": {"missing_in_unified": 1}}.items()
        )
        assert [d["record"] for d in found["first_differences"]] == ["event000000"]

    def test_it_compares_when_asked_and_only_what_is_asked(self, run, warehouse: Warehouse) -> None:
        for partition in (WEEK, WEEK + timedelta(days=7)):
            for side in (LEGACY, UNIFIED):
                hold(warehouse, side, records(3), partition=partition)
        assert json.loads(run("parity", "hiv", "--json").stdout)["partitions"][0]["state"] == "not loaded"
        assert rows(warehouse, "select count(*) from ops.parity") == [(0,)], "looking compares nothing"
        done = run("parity", "hiv", "--compare", "--since", "2025-03-10")
        assert done.exit_code == 0, done.output
        assert rows(warehouse, "select partition_start::text from ops.parity") == [("2025-03-10",)]
        run("parity", "hiv", "--compare")
        run("parity", "hiv", "--compare", "--again")
        assert rows(warehouse, "select count(*) from ops.parity") == [(4,)]

    def test_no_identifier_is_printed(self, run, warehouse: Warehouse) -> None:
        hold(warehouse, LEGACY, records(3, TE), TE)
        hold(warehouse, UNIFIED, valued(records(3, TE), [0], {"name0000000": "Uwase Aline"}, "attributes"), TE)
        for form in ([], ["--json"]):
            done = run("parity", "hiv", "--compare", *form)
            assert done.exit_code == 1 and "11 characters" in done.output
            assert "Uwase" not in done.output

    def test_an_unknown_programme_is_2_and_told_the_known_ones(self, run) -> None:
        for command in (["parity", "hivv"], ["cutover", "hivv", "--by", "A. Keza"]):
            done = run(*command)
            assert done.exit_code == 2
            assert "there is no programme 'hivv'; there are: tb, maternal_death_audit" in done.output


class TestCutover:
    def test_refused_is_1_and_says_why(self, hic: Hic, warehouse: Warehouse) -> None:
        prepare(warehouse, replace(HIV_TRACKER))
        done = hic("cutover", "hiv", "--by", "A. Keza", HIC_WAREHOUSE_URL=warehouse.url)
        assert done.returncode == 1
        assert done.stderr.startswith("hic: refused: hiv is not ready: nothing is loaded.")
        assert "--force --reason" in done.stderr and "Traceback" not in done.stderr

    def test_signed_off_undone_and_recorded(self, run, warehouse: Warehouse) -> None:
        two_weeks(warehouse)
        done = run("cutover", "hiv", "--by", "A. Keza")
        assert done.exit_code == 0 and done.output.startswith("hiv now reads the unified tables.")
        assert "hiv already reads the unified tables since" in run("cutover", "hiv", "--by", "x").output
        assert json.loads(run("parity", "hiv", "--json").stdout)["pipeline"] == "unified"
        back = run("cutover", "hiv", "--by", "J. Mugabo", "--undo", "--json")
        assert (
            json.loads(back.stdout).items() >= {"pipeline": "legacy", "changed": True, "by_whom": "J. Mugabo"}.items()
        )
        assert rows(warehouse, "select action from ops.cutover order by cutover_id") == [("unified",), ("legacy",)]

    def test_forced(self, run, warehouse: Warehouse) -> None:
        done = run("cutover", "hiv", "--by", "A. Keza", "--force", "--reason", "the old server ends")
        assert done.exit_code == 0 and "(forced)" in done.output
        shown = run("parity", "HIV").output
        assert "hiv was signed off by A. Keza" in shown and "forced: the old server ends" in shown
        assert rows(warehouse, "select forced, reason from ops.cutover") == [(True, "the old server ends")]

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--by", "A. Keza", "--force"], "--force needs --reason"),
            (["--by", "A. Keza", "--force", "--reason", " "], "--force needs --reason"),
            (["--by", "A. Keza", "--force", "--reason", "x", "--undo"], "--undo needs no --force"),
            (["--by", " "], "may not be empty"),
            ([], "Missing option '--by'"),
        ],
    )
    def test_wrong_usage_is_2(self, run, warehouse: Warehouse, options: list[str], words: str) -> None:
        done = run("cutover", "hiv", *options)
        assert done.exit_code == 2 and words in done.output
        assert rows(warehouse, "select count(*) from ops.cutover") == [(0,)]


def test_looking_makes_nothing(hic: Hic, warehouse: Warehouse) -> None:
    done = hic("parity", HIC_WAREHOUSE_URL=warehouse.url)
    assert done.returncode == 0, done.stderr
    assert "Nothing is compared yet" in done.stdout
    assert rows(warehouse, "select to_regclass('ops.parity')") == [(None,)]


def test_without_a_server_is_3(hic: Hic) -> None:
    for command in (["parity"], ["cutover", "hiv", "--by", "A. Keza"]):
        done = hic(*command)
        assert done.returncode == 3
        assert "not running" in done.stderr
