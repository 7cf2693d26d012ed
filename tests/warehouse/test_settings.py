"""Settings: what is read, what is missing, and that no secret is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from hic_assets.settings import Settings, SettingsError, default_home, source_settings

SECRET = "Tr0ub4dor&3"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HOME",
        "WAREHOUSE_URL",
        "DAGSTER_URL",
        "HMIS_URL",
        "HMIS_USERNAME",
        "HMIS_PASSWORD",
        "HMIS_TOKEN",
    ):
        monkeypatch.delenv(f"HIC_{name}", raising=False)


def give(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"HIC_HMIS_{name}", value)


def test_defaults() -> None:
    settings = Settings()
    assert settings.home == default_home() == Path(__file__).parents[2] / "var"
    assert settings.warehouse_url is None
    assert settings.dagster_url is None


def test_reads_the_environment_when_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIC_HOME", "~/state")
    monkeypatch.setenv("HIC_WAREHOUSE_URL", f"postgresql://u:{SECRET}@h/d")
    settings = Settings()
    assert settings.home == Path("~/state").expanduser()
    assert settings.warehouse_url is not None
    assert settings.warehouse_url.get_secret_value().endswith("@h/d")
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


def test_an_empty_variable_is_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIC_WAREHOUSE_URL", "")
    assert Settings().warehouse_url is None


def test_source_by_password(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, URL="https://hmis.example/hmis/", USERNAME="hic", PASSWORD=SECRET, CONCURRENCY="2")
    source = source_settings("hmis")
    assert (source.url, source.username, source.concurrency) == ("https://hmis.example/hmis", "hic", 2)
    assert source.password is not None
    assert source.password.get_secret_value() == SECRET
    assert SECRET not in repr(source) + str(source)


def test_missing_names_every_variable() -> None:
    with pytest.raises(SettingsError, match=r"^HIC_HMIS_URL is not set"):
        source_settings("hmis")


def test_missing_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, URL="https://hmis.example", USERNAME="hic")
    with pytest.raises(SettingsError, match="set HIC_HMIS_TOKEN, or HIC_HMIS_USERNAME and HIC_HMIS_PASSWORD"):
        source_settings("hmis")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("hmis.example", "http://"),
        ("ftp://hmis.example", "http://"),
        (f"https://hic:{SECRET}@hmis.example", "must not hold a user name or password"),
        (f"https://[{SECRET}", "HIC_HMIS_URL"),
    ],
)
def test_wrong_url_names_the_variable_and_not_its_value(monkeypatch: pytest.MonkeyPatch, url: str, reason: str) -> None:
    give(monkeypatch, URL=url, TOKEN=SECRET)
    with pytest.raises(SettingsError, match=reason) as caught:
        source_settings("hmis")
    assert str(caught.value).startswith("HIC_HMIS_URL: ")
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


def test_wrong_number_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, URL="https://hmis.example", TOKEN=SECRET, CONCURRENCY="many", TIMEOUT="-1")
    with pytest.raises(SettingsError, match=r"HIC_HMIS_CONCURRENCY: .*; HIC_HMIS_TIMEOUT: ") as caught:
        source_settings("hmis")
    assert "many" not in str(caught.value)


def test_defaults_are_below_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = {"url": "http://127.0.0.1:1", "username": "admin", "password": "district", "concurrency": 3}
    assert source_settings("hmis", sandbox).url == "http://127.0.0.1:1"
    give(monkeypatch, CONCURRENCY="9")
    source = source_settings("hmis", sandbox)
    assert (source.concurrency, source.username) == (9, "admin")


def test_default_credentials_go_to_no_other_server(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, URL="https://hmis.example")
    with pytest.raises(SettingsError, match="no credentials for hmis"):
        source_settings("hmis", {"url": "http://127.0.0.1:1", "username": "admin", "password": "district"})


def test_system_with_a_hyphen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIC_LAB_RESULTS_URL", "https://lab.example")
    monkeypatch.setenv("HIC_LAB_RESULTS_TOKEN", SECRET)
    assert source_settings("lab-results").system == "lab-results"
