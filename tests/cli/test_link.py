"""`hic link`: the queue, the evidence of a pair, and decisions, as people run it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import date

import pytest
from hic_command import Hic
from linkage.made import records
from pg_servers import rows
from psycopg import sql

from hic_assets.identity.resolve import resolve
from hic_assets.identity.tables import RECORD_COLUMNS
from hic_assets.landing.copy import copy_into
from hic_assets.linkage.schema import RECORDS
from hic_assets.prepare import prepare
from hic_assets.warehouse import Warehouse

KEY = b"a key of pseudonyms that is for tests"
ONE, OTHER = "1198580012345067", "1198580099999067"


@pytest.fixture
def people(warehouse: Warehouse) -> Warehouse:
    """Two records that a national ID tells apart, and a third man."""
    told = records(
        {"record_id": "a", "village": "Umucyo", "nid": ONE},
        {"record_id": "b", "village": "Umucyo", "nid": OTHER, "system": "tb"},
        {
            "record_id": "s",
            "surname": "Bizimana",
            "given_name": "Eric",
            "birth_date": date(1971, 11, 23),
            "sector": "Kimironko",
        },
    )
    with warehouse.connect(autocommit=True) as connection:
        prepare(connection)
        connection.execute(f"create table identity.person_record ({RECORD_COLUMNS})".encode())
        with copy_into(connection, sql.Identifier("identity", "person_record"), tuple(RECORDS)) as copy:
            copy.write(told)
    resolve(warehouse, KEY, population=300_000)
    return warehouse


@pytest.fixture
def owner(people: Warehouse) -> dict[str, str]:
    return {"HIC_WAREHOUSE_URL": people.url, "HIC_DAGSTER_URL": people.url}


def test_status_counts_and_names_nobody(hic: Hic, owner: dict[str, str]) -> None:
    done = hic("link", "status", **owner)
    assert done.returncode == 0, done.stderr
    assert "1 pairs wait for review" in done.stdout and "Mugabo" not in done.stdout
    told = json.loads(hic("link", "status", "--json", **owner).stdout)
    assert [(run["run"], run["added"], run["persons"]) for run in told["runs"]] == [(1, 3, 3)]
    assert told["systems"] == [
        {"system": "hiv", "records": 2, "persons": 2},
        {"system": "tb", "records": 1, "persons": 1},
    ]
    assert told["review"] == {"waiting": 1, "decisions": 0, "decided_since_the_last_run": 0}


def test_review_lists_and_shows_the_waterfall(hic: Hic, owner: dict[str, str]) -> None:
    (pair,) = json.loads(hic("link", "review", "--limit", "5", "--json", **owner).stdout)
    assert (pair["record_id_l"], pair["record_id_r"], pair["reason"]) == ("a", "b", "other national ID")
    listed = hic("link", "review", **owner)
    assert "hiv:a" in listed.stdout and "Mugabo Jean / Mugabo Jean" in listed.stdout
    shown = hic("link", "review", "tb:b", "hiv:a", **owner)
    assert shown.returncode == 0, shown.stderr
    for words in (ONE, OTHER, "Umucyo", "two records at random", "same sector and village", "other national ID"):
        assert words in shown.stdout, words
    told = json.loads(hic("link", "review", "--pair", "hiv:a", "tb:b", "--json", **owner).stdout)
    assert told["steps"][-1]["total"] == pytest.approx(told["pair"]["weight"], abs=0.001)
    assert told["decisions"] == []


def test_a_decision_is_written_and_the_last_counts(hic: Hic, owner: dict[str, str], people: Warehouse) -> None:
    who = ("--by", "A. Reviewer", "--reason", "one card, issued twice")
    done = hic("link", "accept", "tb:b", "hiv:a", *who, **owner)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("One person: hiv:a and tb:b")
    assert "No pair waits" in hic("link", "review", **owner).stdout
    assert resolve(people, KEY, population=300_000).persons == 2
    again = json.loads(hic("link", "reject", "hiv:a", "tb:b", *who, "--json", **owner).stdout)
    assert (again["pair"], again["accepted"], again["by"]) == (["hiv:a", "tb:b"], False, "A. Reviewer")
    assert resolve(people, KEY, population=300_000).persons == 3
    kept = rows(
        people, "select record_id_l, record_id_r, accepted, by_whom from identity.decision order by decision_id"
    )
    assert kept == [("a", "b", True, "A. Reviewer"), ("a", "b", False, "A. Reviewer")]
    assert "Decisions" in hic("link", "review", "hiv:a", "tb:b", **owner).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("accept", "hiv:a", "hiv:nobody", "--by", "R", "--reason", "r"), 1, "has linked hiv:nobody"),
        (("review", "hiv:nobody", "tb:b"), 1, "has linked hiv:nobody"),
        (("accept", "hiv:a", "tb:b", "--by", " ", "--reason", "r"), 1, "a name and a reason"),
        (("accept", "hiv:a", "tb:b", "--by", "R"), 2, "--reason"),
        (("reject", "hiv:a", "hiv:a", "--by", "R", "--reason", "r"), 2, "one record"),
        (("review", "hiv:a"), 2, "both records"),
        (("review", "a", "b"), 2, "system:id"),
    ],
)  # fmt: skip
def test_what_is_refused(hic: Hic, owner: dict[str, str], arguments: tuple[str, ...], code: int, words: str) -> None:
    done = hic("link", *arguments, **owner)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


def test_before_any_run(hic: Hic, own_server: dict[str, str]) -> None:
    done = hic("link", "status", **own_server)
    assert done.returncode == 3 and "no identities yet" in done.stderr


@pytest.fixture
def stranger(people: Warehouse) -> Iterator[dict[str, str]]:
    """A login that may connect, and nothing else."""
    name = f"hic_test_{uuid.uuid4().hex[:12]}"
    rows(people, f"create role {name} login password 'only for tests'")
    url = people.with_database(people.database)
    params = {**url.params, "user": name, "password": "only for tests"}
    made = Warehouse(params)
    yield {"HIC_WAREHOUSE_URL": made.url, "HIC_DAGSTER_URL": made.url}
    rows(people, f"drop owned by {name}; drop role {name}")


def test_who_may_not_see_persons_is_told_so(hic: Hic, stranger: dict[str, str]) -> None:
    for arguments in (("review",), ("status",), ("accept", "hiv:a", "tb:b", "--by", "R", "--reason", "r")):
        done = hic("link", *arguments, **stranger)
        assert done.returncode == 3, done.stderr
        assert "must not see who persons are" in done.stderr and "Mugabo" not in done.stdout + done.stderr


def test_the_help_says_what_it_shows(hic: Hic) -> None:
    said = " ".join(hic("link", "--help").stdout.split())
    assert "names and numbers of persons" in said and "owner" in said
