"""The real facility list of Rwanda, from an HTTP reply to the facility dimension: every facility, every code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import facility_list
import pytest
from pg_servers import fresh_database, rows
from psycopg.rows import dict_row
from recorded_server import Recorded, client_of, serving

from hic_assets.extract.dhis2.metadata import metadata
from hic_assets.landing.ddl import create_ops
from hic_assets.landing.land import land
from hic_assets.landing.ledger import Partition
from hic_assets.systems import HMIS
from hic_assets.warehouse import Warehouse

pytestmark = pytest.mark.real

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
LANDED = ("organisation_units", "organisation_unit_levels", "organisation_unit_group_members")
LEVELS = ("Country", "Province", "District", "Sub-district", "Sector", "Facility")
# Counted in the file itself: rows, cells without text, and how often each word stands there.
TYPES = {"HC": 415, "DH": 39, "DISP": 34, "PRISON": 13, "HP": 9, "NRH": 4, "CLINIC": 2, "MIL_POL": 2}
OWNERSHIPS = {"PUBLIC": 333, "AGREE": 160, "PRIVATE": 20, "COMMUNITY": 4, "UNMAPPED": 1}

Dimension = dict[str, dict[str, object]]
Source = list[dict[str, str]]


@pytest.fixture(scope="module")
def source(real_dir: Path) -> Source:
    """The list as it stands in the file."""
    return facility_list.facilities(real_dir)


@pytest.fixture(scope="module")
def built(
    source: Source, real_dir: Path, postgres_server: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """The list served, read, landed and built into the dimensions."""
    with fresh_database(postgres_server) as warehouse, serving(Recorded(real_dir / "dhis2")) as server:
        server.file("/api/system/info", "system_info_v40.json")
        server.body("/api/organisationUnits", {"organisationUnits": facility_list.organisation_units(source)})
        levels = [{"id": f"level{n}", "level": n, "name": name} for n, name in enumerate(LEVELS, 1)]
        server.body("/api/organisationUnitLevels", {"organisationUnitLevels": levels})
        server.body("/api/organisationUnitGroups", {"organisationUnitGroups": facility_list.groups(source)})
        with warehouse.connect(autocommit=True) as connection:
            create_ops(connection)
        with client_of(server, tmp_path_factory.mktemp("spool")) as client:
            for name in LANDED:
                loaded = land(warehouse, HMIS.feed(name).table, Partition(), metadata(client, name))
                assert (loaded.counts.quarantined, loaded.counts.duplicates) == (0, 0)
                assert loaded.counts.landed == loaded.counts.read > 0
        build(warehouse, tmp_path_factory.mktemp("dbt"))
        yield warehouse


def build(warehouse: Warehouse, target: Path) -> None:
    """dbt builds and tests the two dimensions of places and all they are made from."""
    chosen = ["--select", "+dim_facility", "+dim_geography", "--indirect-selection", "buildable"]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "build", "--exclude-resource-type", "unit_test", *chosen],
        cwd=PROJECT,
        env={
            **os.environ,
            **warehouse.env(),
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(target / "logs"),
            "DBT_PROFILES_DIR": str(PROJECT),
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def dimension(built: Warehouse) -> Dimension:
    """dwh.dim_facility by the code that the source has."""
    with built.connect() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        found = cursor.execute("select * from dwh.dim_facility where is_current").fetchall()
    return {str(row["source_code"]): row for row in found}


def test_no_facility_is_lost(source: Source, dimension: Dimension) -> None:
    assert len(source) == len(dimension) == 518
    assert {row["FOSAID"]: row["FOSAName"].strip() for row in source} == {
        code: row["name"] for code, row in dimension.items()
    }


def test_codes_stay_text_and_get_their_zeros_back(dimension: Dimension) -> None:
    assert dimension["22"]["fosa_code"] == "0022"
    assert dimension["22"]["name"] == "Kibagabaga HD"
    assert dimension["3"]["fosa_code"] == "0003"
    assert dimension["455"]["fosa_code"] == "0455"
    assert all(row["fosa_code"] == code.zfill(4) for code, row in dimension.items())
    assert Counter(len(code) for code in dimension) == {1: 9, 2: 90, 3: 419}


def test_types_are_those_of_the_controlled_list(source: Source, dimension: Dimension) -> None:
    assert Counter(row["facility_type_code"] for row in dimension.values()) == TYPES
    pairs = {(row["TypeFOSAabbreviation"], dimension[row["FOSAID"]]["facility_type_code"]) for row in source}
    assert pairs == {
        ("CS", "HC"),
        ("HD", "DH"),
        ("PS", "HP"),
        ("DISP", "DISP"),
        ("PRIS", "PRISON"),
        ("HNR", "NRH"),
        ("HM", "MIL_POL"),
        ("CLIN", "CLINIC"),
    }


def test_ownership(source: Source, dimension: Dimension) -> None:
    assert Counter(row["ownership_code"] for row in dimension.values()) == OWNERSHIPS
    (nobody,) = [row["FOSAID"] for row in source if not row["PrivatePublic"]]
    assert dimension[nobody]["ownership_code"] == "UNMAPPED"


def test_facilities_without_a_sector_are_kept(source: Source, dimension: Dimension) -> None:
    without = {row["FOSAID"] for row in source if not row["SectorCode"]}
    assert len(without) == 27
    assert {code for code, row in dimension.items() if row["sector_uid"] is None} == without
    for row in source:
        built = dimension[row["FOSAID"]]
        assert (built["province_name"], built["district_name"]) == (row["ProvinceName"], row["DistrictName"])
        assert built["sub_district_name"] == f"{row['DistrictName']} sub-district"
        assert built["sector_name"] == (row["SectorName"].strip() or None)


def test_coordinates(source: Source, dimension: Dimension) -> None:
    """83 facilities have none; six places are shared by two facilities each, and both keep it."""
    places: Counter[tuple[float | None, float | None]] = Counter()
    for row in source:
        built = dimension[row["FOSAID"]]
        expected = (
            (float(row["LatitudeDecimal"]), float(row["LongitudeDecimal"])) if row["LatitudeDecimal"] else (None, None)
        )
        assert (built["latitude"], built["longitude"]) == expected
        assert built["has_coordinates"] == bool(row["LatitudeDecimal"])
        if expected != (None, None):
            places[expected] += 1
    assert places.total() == 435
    assert Counter(places.values()) == {1: 423, 2: 6}


def test_facilities_of_one_name_stay_apart(dimension: Dimension) -> None:
    names = Counter(row["name"] for row in dimension.values())
    assert sum(count for count in names.values() if count > 1) == 54
    bugarama = {code: row["district_name"] for code, row in dimension.items() if row["name"] == "Bugarama"}
    assert bugarama == {"237": "RUSIZI", "495": "NYAMAGABE"}


def test_no_facility_is_a_place(built: Warehouse, source: Source) -> None:
    places = rows(built, "select level, count(*)::int from dwh.dim_geography group by 1")
    sectors = {(row["DistrictCode"], row["SectorCode"]) for row in source if row["SectorCode"]}
    assert len(sectors) == 338
    assert dict(places) == {
        "country": 1,
        "province": 5,
        "district": 30,
        "sub_district": 30,
        "sector": len(sectors),
    }


def test_every_district_is_known_to_the_warehouse(built: Warehouse) -> None:
    """The list writes NYARUGENGE, the seed Nyarugenge: population and codes are found all the same."""
    found = rows(
        built,
        "select count(*)::int, count(district_code)::int, sum(population_2022)::int from dwh.dim_geography"
        " where level = 'district'",
    )
    assert found == [(30, 30, 13_246_394)]
