"""Every recorded response of a DHIS2 server, byte for byte over HTTP: what the client makes of it, in figures."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from recorded_server import JSON, Recorded, client_of, read

from hic_assets.extract.dhis2.client import Dhis2Client
from hic_assets.extract.dhis2.completeness import completeness
from hic_assets.extract.dhis2.data_values import data_values
from hic_assets.extract.dhis2.metadata import metadata
from hic_assets.extract.dhis2.timestamps import parse_utc
from hic_assets.extract.errors import AuthError, HtmlInsteadOfData, NotFound, SourceError, UnsupportedSystem

pytestmark = pytest.mark.real

SIERRA_LEONE = "eed3d451-4ff5-4193-b951-ffcc68954299"
UNITS_THERE = {"organisationUnits": [{"id": "ImspTQPwCqd", "name": "Sierra Leone", "level": 1}]}
# What other systems than the aggregate HMIS will read, and the folder's table of contents.
OF_OTHER_READERS = ("legacy_", "tracker_", "analytics_", "INDEX")
SYSTEMS = {
    "v38": ("2.38.6", 38, SIERRA_LEONE, "Etc/UTC", datetime(2024, 8, 20, 10, 45, 31, 76_000, UTC)),
    "v39": ("2.39.4.1", 39, SIERRA_LEONE, "Etc/UTC", datetime(2024, 8, 20, 11, 25, 18, 57_000, UTC)),
    "v40": ("2.40.1-SNAPSHOT", 40, SIERRA_LEONE, "Etc/UTC", datetime(2023, 5, 18, 8, 4, 13, 329_000, UTC)),
    "v41": ("2.41.3-SNAPSHOT", 41, SIERRA_LEONE, "Etc/UTC", datetime(2024, 11, 25, 13, 59, 22, 854_000, UTC)),
    # In October Oslo is two hours ahead of UTC.
    "v43": ("2.43-SNAPSHOT", 43, SIERRA_LEONE, "Europe/Oslo", datetime(2025, 10, 13, 14, 13, 10, 818_000, UTC)),
}
TOO_OLD = {"v27_datim": "2.27", "v37": "2.37.7"}
METADATA = {
    "organisationUnits_big_v40": ("organisationUnits", "organisation_units", 1333),
    "organisationUnits_nopaging_ids_v40": ("organisationUnits", "organisation_units", 1333),
    "organisationUnits_descendants_nopaging_v40": ("organisationUnits", "organisation_units", 166),
    "organisationUnits_datim_v33api": ("organisationUnits", "organisation_units", 131),
    "dataElements_datim_v33api": ("dataElements", "data_elements", 4758),
    "dataElements_android": ("dataElements", "data_elements", 6),
    "dataSets_datim_v33api": ("dataSets", "data_sets", 81),
    "indicators_v40": ("indicators", "indicators", 16),
    "categoryOptionCombos_datim_v33api": ("categoryOptionCombos", "category_option_combos", 126),
}
VALUES = ("dataValueSets_single_dataset_period_orgunit_v40", "dataValueSets_weekly")
REGISTRATIONS = "completeDataSetRegistrations"
ERRORS: dict[str, tuple[int, str, type[SourceError], str]] = {
    "login_page_html_http200_v40.html": (200, "text/html", HtmlInsteadOfData, "web page"),
    "error_401_xml_body_v40.xml": (401, "application/xml;charset=UTF-8", AuthError, "Unauthorized"),
    "error_403_ownership.json": (403, JSON, AuthError, "OWNERSHIP_ACCESS_DENIED"),
    "error_404_v42.json": (404, JSON, NotFound, "E1005"),
    "error_404_dataset_v40.json": (404, JSON, NotFound, "FAKEDATASET"),
    "error_404_tomcat_html_v40.html": (404, "text/html;charset=utf-8", NotFound, "404"),
}


def table(recorded: Recorded, client: Dhis2Client, name: str) -> pl.DataFrame:
    """A recorded metadata list through the reader of its table; ids come once each, in the server's order."""
    resource, reader, count = METADATA[name]
    recorded.file(f"/api/{resource}", f"{name}.json")
    frame = read(metadata(client, reader))
    assert frame.height == frame["id"].n_unique() == count
    assert set(frame.dtypes) == {pl.String}
    return frame


def row(frame: pl.DataFrame, uid: str) -> dict[str, str | None]:
    """What one object came as, without the columns that the recording does not hold."""
    found = frame.row(by_predicate=pl.col("id") == uid, named=True)
    return {name: value for name, value in found.items() if value is not None}


def test_no_recording_is_left_out(real_dir: Path) -> None:
    there = {p.name for p in (real_dir / "dhis2").iterdir() if not p.name.startswith(OF_OTHER_READERS)}
    systems = {f"system_info_{name}" for name in [*SYSTEMS, *TOO_OLD]}
    assert there == {f"{name}.json" for name in [*systems, *METADATA, *VALUES, REGISTRATIONS]} | set(ERRORS)


@pytest.mark.parametrize("name", SYSTEMS)
def test_system_info(recorded: Recorded, client: Dhis2Client, name: str) -> None:
    recorded.file("/api/system/info", f"system_info_{name}.json")
    version, minor, system_id, zone, now = SYSTEMS[name]
    assert (client.info.version, client.dialect.minor, client.info.system_id) == (version, minor, system_id)
    assert client.time_zone == zone
    assert parse_utc(client.info.server_date or "", client.time_zone) == now


@pytest.mark.parametrize("name", TOO_OLD)
def test_servers_that_are_too_old_are_refused_by_version(recorded: Recorded, client: Dhis2Client, name: str) -> None:
    recorded.file("/api/system/info", f"system_info_{name}.json")
    with pytest.raises(UnsupportedSystem, match=f"DHIS2 {TOO_OLD[name]} is older than"):
        read(metadata(client, "constants"))


def test_names_of_all_units(recorded: Recorded, client: Dhis2Client) -> None:
    frame = table(recorded, client, "organisationUnits_big_v40")
    assert row(frame, "DiszpKrYNg8") == {"id": "DiszpKrYNg8", "name": "Ngelehun CHC"}
    assert (frame["id"][0], frame["id"][-1]) == ("Rp268JB6Ne4", "BNFrspDBKel")
    # Blanks before, after and in the middle of real names stay as they came: staging takes them out.
    assert {" Panderu MCHP", "Campbell Town  CHP", "Tainkatopa Makama Safrokoh "} < set(frame["name"])


def test_a_list_of_nothing_but_ids(recorded: Recorded, client: Dhis2Client) -> None:
    frame = table(recorded, client, "organisationUnits_nopaging_ids_v40")
    assert frame.drop("id").null_count().row(0) == (1333,) * (frame.width - 1)


def test_levels_and_paths(recorded: Recorded, client: Dhis2Client) -> None:
    frame = table(recorded, client, "organisationUnits_descendants_nopaging_v40")
    assert Counter(frame["level"]) == {"1": 1, "2": 13, "3": 152}
    assert row(frame, "ENHOJz3UH5L") == {
        "id": "ENHOJz3UH5L",
        "level": "3",
        "path": "/ImspTQPwCqd/lc3eMKXaEfw/ENHOJz3UH5L",
    }
    depth = frame["path"].str.count_matches("/", literal=True)
    assert depth.cast(pl.String).to_list() == frame["level"].to_list()


def test_codes_of_units(recorded: Recorded, client: Dhis2Client) -> None:
    frame = table(recorded, client, "organisationUnits_datim_v33api")
    assert row(frame, "zPtGoJ4Wc2F") == {
        "id": "zPtGoJ4Wc2F",
        "code": "zPtGoJ4Wc2F",
        "name": "Angelfish Site",
        "short_name": "Angelfish Site",
    }
    assert frame["code"].null_count() == 0


def test_a_national_list_of_data_elements(recorded: Recorded, client: Dhis2Client) -> None:
    frame = table(recorded, client, "dataElements_datim_v33api")
    assert Counter(frame["value_type"]) == {
        "BOOLEAN": 1808,
        "INTEGER": 1634,
        "LONG_TEXT": 652,
        "INTEGER_ZERO_OR_POSITIVE": 454,
        "TEXT": 166,
        "NUMBER": 20,
        "DATE": 10,
        "INTEGER_POSITIVE": 9,
        "TRUE_ONLY": 4,
        "DATETIME": 1,
    }
    assert Counter(frame["zero_is_significant"]) == {"true": 2328, "false": 2430}
    assert frame["code"].null_count() == 127
    assert row(frame, "NYXJu5vwbhN") == {
        "id": "NYXJu5vwbhN",
        "code": "BS_COLL_N_DSD",
        "name": "BS_COLL (N, DSD): Blood Units Donated",
        "short_name": "BS_COLL (N, DSD)",
        "value_type": "INTEGER",
        "zero_is_significant": "true",
    }


def test_data_elements_with_all_members(recorded: Recorded, client: Dhis2Client) -> None:
    frame = table(recorded, client, "dataElements_android")
    assert row(frame, "g9eOBujte1U") == {
        "id": "g9eOBujte1U",
        "code": "DE_2005735",
        "name": "MCH ANC Visit",
        "short_name": "ANC Visit",
        "domain_type": "TRACKER",
        "value_type": "TEXT",
        "aggregation_type": "AVERAGE",
        "zero_is_significant": "false",
        "category_combo": "m2jTvAj5kkm",
        "last_updated": "2014-11-11T21:56:05.560",
    }
    assert Counter(frame["aggregation_type"]) == {"AVERAGE": 2, "SUM": 3, "NONE": 1}


def test_data_sets(recorded: Recorded, client: Dhis2Client) -> None:
    frame = table(recorded, client, "dataSets_datim_v33api")
    assert row(frame, "Z6dbUeQ8zZY") == {
        "id": "Z6dbUeQ8zZY",
        "name": "Tiered Support: Facilities reporting TX_CURR",
    }


def test_indicators(recorded: Recorded, client: Dhis2Client) -> None:
    frame = table(recorded, client, "indicators_v40")
    assert row(frame, "Uvn6LCg7dVU") == {"id": "Uvn6LCg7dVU", "name": "ANC 1 Coverage"}


def test_category_option_combos(recorded: Recorded, client: Dhis2Client) -> None:
    frame = table(recorded, client, "categoryOptionCombos_datim_v33api")
    assert row(frame, "X8hrDf6bLDC") == {
        "id": "X8hrDf6bLDC",
        "code": "00000",
        "name": "00000 De-duplication adjustment",
    }
    assert frame["code"].drop_nulls().to_list() == ["00000", "00001", "8888", "9999"]
    # The recording asked for the options' dates alone: the options came, but none with an id.
    options = read(metadata(client, "category_option_combo_options"))
    assert options["category_option_combo"].to_list() == frame["id"].to_list()
    assert options["category_option"].null_count() == 126


def test_data_values_of_one_report(recorded: Recorded, client: Dhis2Client) -> None:
    recorded.body("/api/organisationUnits", UNITS_THERE)
    recorded.file("/api/dataValueSets", f"{VALUES[0]}.json")
    source = data_values(client, ["pBOMPrpg1QX"], ["202201"], split_level=1)
    frame = read(source)
    assert dict(zip(frame["data_element"], frame["value"], strict=True)) == {
        "Ix2HsbDMLea": "14",
        "eY5ehpbEsB7": "16",
        "f7n9E0hX8qk": "12",
        "FTRrcoaog83": "12",
    }
    assert frame.row(0, named=True) == {
        "data_element": "Ix2HsbDMLea",
        "period": "202201",
        "org_unit": "DiszpKrYNg8",
        "category_option_combo": "HllvX50cXC0",
        "attribute_option_combo": "HllvX50cXC0",
        "value": "14",
        "stored_by": "system",
        "last_updated": "2015-04-05T21:58:12.000+0000",
        "comment": None,
        "follow_up": "false",
        "deleted": None,
    }
    assert list(source.unknown_columns) == []
    assert [stats.rows for stats in source.stats] == [4]


def test_weekly_data_values(recorded: Recorded, client: Dhis2Client) -> None:
    recorded.body("/api/organisationUnits", UNITS_THERE)
    recorded.file("/api/dataValueSets", f"{VALUES[1]}.json")
    frame = read(data_values(client, ["x"], ["2019W43"], split_level=1))
    assert frame.select("data_element", "period", "org_unit", "value", "stored_by").rows() == [
        ("g9eOBujte1U", "2019W43", "g8upMTyEZGZ", "5", "bodata1")
    ]


def test_registrations(recorded: Recorded, client: Dhis2Client) -> None:
    recorded.body("/api/organisationUnits", UNITS_THERE)
    recorded.file("/api/completeDataSetRegistrations", f"{REGISTRATIONS}.json")
    frame = read(completeness(client, ["lyLU2wR22tC"], ["201906"], split_level=1))
    assert frame.select("period", "org_unit", "date", "stored_by", "completed").rows() == [
        ("2016", "DiszpKrYNg8", "2010-06-03", "imported", None),
        ("201906", "g8upMTyEZGZ", "2010-04-05", None, None),
        ("2017", "DiszpKrYNg8", "2010-08-06", "imported", None),
        ("false_period", "DiszpKrYNg8", "2010-08-06", "imported", None),
    ]
    assert set(frame["data_set"]) == {"lyLU2wR22tC"}
    assert set(frame["attribute_option_combo"]) == {"bRowv6yZOF2"}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(recorded: Recorded, client: Dhis2Client, name: str) -> None:
    status, kind, error, said = ERRORS[name]
    recorded.file("/api/constants", name, status=status, kind=kind)
    with pytest.raises(error, match=said) as caught:
        read(metadata(client, "constants"))
    assert "secret" not in str(caught.value)


def test_a_login_page_for_system_info_stops_before_anything_is_asked(recorded: Recorded, tmp_path: Path) -> None:
    """A redirect to the login page answers 200: only the content tells."""
    recorded.file("/api/system/info", "login_page_html_http200_v40.html", kind="text/html")
    with client_of(recorded, tmp_path) as client, pytest.raises(HtmlInsteadOfData):
        read(metadata(client, "organisation_units"))
