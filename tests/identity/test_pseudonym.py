"""Pseudonyms: the same in Python and in SQL, only with the key, and with one key for ever."""

from __future__ import annotations

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pg_servers import rows
from pydantic import SecretStr

from hic_assets.identity.ddl import PseudonymKeyError, create_identity, hold_to_key
from hic_assets.identity.pseudonym import pseudonym, pseudonym_key, session_options
from hic_assets.settings import Settings, SettingsError
from hic_assets.warehouse import Warehouse

KEY = b"0123456789abcdef0123456789abcdef"
# PostgreSQL's text holds no NUL.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


def computing(warehouse: Warehouse, key: bytes) -> Warehouse:
    return Warehouse({**warehouse.params, "options": session_options(key)})


@pytest.fixture
def ready(warehouse_on_both: Warehouse) -> Warehouse:
    with warehouse_on_both.connect() as connection:
        create_identity(connection)
    return warehouse_on_both


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.binary(min_size=1, max_size=100), source=TEXT, record=TEXT)
def test_sql_and_python_agree_for_every_key_and_text(ready: Warehouse, key: bytes, source: str, record: str) -> None:
    (found,) = rows(computing(ready, key), "select identity.pseudonym(%s, %s)", [source, record])
    assert found == (pseudonym(key, source, record),)


def test_it_is_the_published_method() -> None:
    """RFC 4231, test case 2, whose message has no separator: the method, not our own arrangement of it."""
    assert hmac.new(b"Jefe", b"what do ya want for nothing?", hashlib.sha256).hexdigest().startswith("5bdcc146bf60754e")
    assert pseudonym(b"Jefe", "a", "b").bytes == hmac.new(b"Jefe", b"a\x1fb", hashlib.sha256).digest()[:16]


def test_nothing_is_computed_without_the_key_nor_of_nothing(ready: Warehouse) -> None:
    with pytest.raises(psycopg.errors.UndefinedObject, match=r"hic\.pseudonym_"):
        rows(ready, "select identity.pseudonym('tb', 'x')")
    assert rows(computing(ready, KEY), "select identity.pseudonym('tb', null)") == [(None,)]


def test_sources_and_keys_do_not_share_pseudonyms() -> None:
    made = {pseudonym(key, source, "1") for key in (KEY, KEY[::-1]) for source in ("tb", "hiv")}
    assert len(made) == 4
    assert pseudonym(KEY, "a", "b/c") != pseudonym(KEY, "a/b", "c")


def test_a_warehouse_keeps_to_its_first_key(ready: Warehouse) -> None:
    with ready.connect() as connection:
        hold_to_key(connection, KEY)
        hold_to_key(connection, KEY)
        with pytest.raises(PseudonymKeyError, match="HIC_PSEUDONYM_KEY"):
            hold_to_key(connection, KEY[::-1])
    assert rows(ready, "select count(*) from ops.pseudonym_key where fingerprint ~ '0123'") == [(0,)]


def test_without_a_setting_the_key_is_made_once_and_kept_for_the_owner_only(tmp_path: Path) -> None:
    home = tmp_path / "var"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: pseudonym_key(Settings(home=home)), range(8)))
    assert len(keys) == 1
    assert (home / "pseudonym.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.iterdir()] == ["pseudonym.key"]


def test_the_environments_key_goes_first_and_a_short_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIC_HOME", str(tmp_path))
    monkeypatch.setenv("HIC_PSEUDONYM_KEY", KEY.decode())
    assert pseudonym_key(Settings()) == KEY
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SettingsError, match="32 characters") as refused:
        pseudonym_key(Settings(home=tmp_path, pseudonym_key=SecretStr("hunter2")))
    assert "hunter2" not in str(refused.value)
