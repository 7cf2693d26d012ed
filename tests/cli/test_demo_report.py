"""What `hic demo` shows at its end, and what it says when only some systems are set."""

from __future__ import annotations

import pytest
from pg_servers import rows

from hic_assets.cli.demo_report import NAMED, Checks, RunOutcome, report_of, show
from hic_assets.cli.sandbox_process import left_out
from hic_assets.identity.ddl import create_identity
from hic_assets.identity.tables import create_identity_tables
from hic_assets.landing.ddl import create_ops
from hic_assets.systems import SYSTEMS
from hic_assets.warehouse import Warehouse


def fill(warehouse: Warehouse) -> None:
    """Two tables of one system and one of another, all by run r; and an older load that is none of its business."""
    with warehouse.connect(autocommit=True) as connection:
        create_ops(connection)
        create_identity(connection)
        create_identity_tables(connection)
        for system, record, person in (("hiv", "a", "p"), ("tb", "b", "p"), ("tb", "c", "q")):
            connection.execute(
                "insert into identity.assignment (system, record_id, person_key, since) values (%s, %s, %s, 1)",
                (system, record, person),
            )
    for system, table, partition, run, landed in (
        ("hmis", "data_values", "2024-01-01", "r", 10),
        ("hmis", "data_values", "2024-02-01", "r", 20),
        ("hmis", "constants", None, "r", 3),
        ("idsr", "reports", "2024-01-01", "r", 5),
        ("cemr", "visits", "2024-01-01", "older", 99),
    ):
        rows(
            warehouse,
            """insert into ops.load (system, table_name, partition_key, run_id, status, is_current, rows_read, landed,
                                     quarantined, started_at, finished_at)
               values (%s, %s, %s, %s, 'committed', true, %s + 1, %s, 1, now() - interval '2 s', now())""",
            (system, table, partition, run, landed, landed),
        )


def test_a_line_a_system_and_the_names_of_what_warned(warehouse: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    fill(warehouse)
    many = [f"rule_{number:02d}" for number in range(NAMED + 3)]
    checks = {
        "raw.hmis_data_values": Checks(4, ["unknown_facility"]),
        "raw.hmis_constants": Checks(2),
        "raw.idsr_reports": Checks(1, [], ["accounting"]),
        "dwh.fct_x": Checks(7, many),
    }
    first = RunOutcome("before", True, {"dwh.fct_x": Checks(6, ["gone_since"])}, [], [])
    outcome = RunOutcome("r", False, checks, ["step: why"], ["dwh.fct_x: not_asked"])
    report = report_of(warehouse, [first, outcome], 12.34)
    assert not report["success"] and report["mart"] == []
    assert [(s["system"], s["tables"], s["partitions"], s["rows"], s["quarantined"]) for s in report["systems"]] == [
        ("hmis", 2, 3, 33, 3),
        ("idsr", 1, 1, 5, 1),
    ]
    assert report["systems"][0]["seconds"] == pytest.approx(6, abs=0.1)
    assert [s["checks"] for s in report["systems"]] == ["6 passed, 1 warned", "1 passed, 1 FAILED"]
    assert {t["table"]: t["checks"] for t in report["tables"]} == {
        "raw.hmis_data_values": "4 passed, 1 warned",
        "raw.hmis_constants": "2 passed",
        "raw.idsr_reports": "1 passed, 1 FAILED",
    }
    assert report["models"] == {"tested": 1, "checks": f"7 passed, {len(many)} warned"}
    assert report["checks_failed"] == ["raw.idsr_reports: accounting"]
    assert report["checks_warned"] == [
        *(f"dwh.fct_x: {name}" for name in many),
        "raw.hmis_data_values: unknown_facility",
    ]

    show(report)
    lines = capsys.readouterr().out.splitlines()
    assert "FAILED: raw.idsr_reports: accounting" in lines
    assert "3 records of persons in 2 sources are 2 people" in lines
    assert sum(line.startswith("Warned: ") for line in lines) == NAMED
    assert (
        lines[lines.index(f"Warned: dwh.fct_x: {many[NAMED - 1]}") + 1] == "  and 4 more ('hic demo --json' names all)"
    )
    assert "Not answered: dwh.fct_x: not_asked" in lines
    assert not any("raw.hmis_constants" in line for line in lines)
    assert lines[-1].startswith("FAILED in 12.3 s. Next: 'hic systems'") and "'hic parity'" in lines[-1]


def test_systems_that_are_not_set_are_named_with_their_variables() -> None:
    assert left_out(SYSTEMS) is None
    (hiv,) = [system for system in SYSTEMS if system.name == "hiv_tracker"]
    words = left_out([hiv]) or ""
    assert words.count("_URL") == len(SYSTEMS) - 1
    assert "HMIS aggregate (HIC_HMIS_URL)" in words and "HIC_HIV_TRACKER_URL" not in words
