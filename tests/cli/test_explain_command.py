"""`hic explain` from outside, where there is nothing to explain."""

from __future__ import annotations

from hic_command import Hic

from hic_assets.warehouse import Warehouse

ASKED = ("explain", "ANC1_COVERAGE", "--facility", "Gasabo", "--period", "2026-10")


def test_without_a_warehouse_or_marts_it_says_so_and_is_3(hic: Hic, warehouse: Warehouse) -> None:
    done = hic(*ASKED)
    assert done.returncode == 3
    assert "the embedded PostgreSQL is not running" in done.stderr
    done = hic(*ASKED, HIC_WAREHOUSE_URL=warehouse.url)
    assert (done.returncode, done.stdout) == (3, "")
    assert "the marts are not built here yet" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_it_needs_is_asked_for(hic: Hic) -> None:
    done = hic(*ASKED[:4])
    assert done.returncode == 2
    assert "Missing option '--period'" in done.stderr
