"""The Compose file: safe by default, complete, and speaking only of things that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from docker_files import (
    DOCKER,
    IMAGE_ROOT,
    ROOT,
    compose,
    copied,
    example_variables,
    image_environment,
    instructions,
    interpolate,
    services,
    variables,
)

from hic_assets.settings import Settings, SourceSettings, variable_prefix
from hic_assets.systems import SYSTEMS

SERVICES = ["code_location", "daemon", "postgres", "webserver"]
OURS = ["code_location", "daemon", "webserver"]
SECRET = re.compile(r"PASSWORD|TOKEN|SECRET")
FILLED = {name: "1" if name.endswith("PORT") else "x" for name in example_variables()}


def test_the_services() -> None:
    assert sorted(services()) == SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardened_restarted_and_watched(name: str) -> None:
    service = services()[name]
    user, group = service["user"].split(":")
    assert int(user) > 0 and int(group) > 0
    assert service["restart"] == "unless-stopped"
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert any(mount.startswith("/tmp:") for mount in service["tmpfs"])
    assert service["healthcheck"]["test"][0] == "CMD" and service["healthcheck"]["retries"] > 0
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert "privileged" not in service and "docker.sock" not in str(service)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_until_what_it_needs_is_healthy(name: str) -> None:
    needed = services()[name].get("depends_on", {})
    assert set(needed) == set(SERVICES[: 0 if name == "postgres" else None]) & {
        "code_location": {"postgres"},
        "webserver": {"postgres", "code_location"},
        "daemon": {"postgres", "code_location"},
    }.get(name, set())
    assert all(of == {"condition": "service_healthy"} for of in needed.values())


def test_images_are_pinned_to_a_version() -> None:
    bases = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    for image in [*bases, services()["postgres"]["image"]]:
        assert re.fullmatch(r"(python:3\.12\.\d+-slim|postgres:1[78]\.\d+)-[a-z]+", image), image
    assert len(set(bases)) == 1
    assert {services()[name]["image"] for name in OURS} == {"hic-assets:${HIC_IMAGE_TAG:-local}"}


def test_postgresql_is_supported_and_its_volume_is_where_its_image_keeps_data() -> None:
    major = int(re.findall(r"postgres:(\d+)", services()["postgres"]["image"])[0])
    place = "/var/lib/postgresql" if major >= 18 else "/var/lib/postgresql/data"
    assert f"postgres:{place}" in services()["postgres"]["volumes"]


def test_no_secret_has_a_default() -> None:
    used = variables((DOCKER / "compose.yaml").read_text())
    secrets = [(name, operator, word) for name, operator, word in used if SECRET.search(name)]
    assert len(secrets) >= 5
    for name, operator, word in secrets:
        assert operator == ":?" or (operator == ":-" and word == ""), name
    assert not [name for name, operator, _ in used if operator == ""], "a variable that may silently be empty"
    assert {name: value for name, value in example_variables().items() if value} == {}


@pytest.mark.parametrize(
    "missing", sorted({n for n, o, _ in variables((DOCKER / "compose.yaml").read_text()) if o == ":?"})
)
def test_what_must_be_set_stops_compose(missing: str) -> None:
    text = (DOCKER / "compose.yaml").read_text()
    assert interpolate(text, FILLED)
    with pytest.raises(KeyError, match=missing):
        interpolate(text, {**FILLED, missing: ""})


def test_no_password_is_written_down() -> None:
    for path in DOCKER.iterdir():
        for line in re.sub(r"\$\{[^}]*\}", "", path.read_text()).splitlines():
            assert not re.search(r"://[^/\s:]+:[^@\s]+@", line), f"{path.name}: {line}"
            assert not re.search(r"(PASSWORD|TOKEN)\w*\s*[:=]\s*\S", line), f"{path.name}: {line}"


def test_the_example_names_every_variable_and_no_other() -> None:
    assert set(example_variables()) == {name for name, *_ in variables((DOCKER / "compose.yaml").read_text())}


def test_variables_given_to_our_services_are_those_the_code_reads() -> None:
    read = {f"HIC_{field.upper()}" for field in Settings.model_fields}
    fields = set(SourceSettings.model_fields) - {"system"}
    read |= {variable_prefix(system.name) + field.upper() for system in SYSTEMS for field in fields}
    read |= set(re.findall(r"env: (\w+)", (ROOT / "dagster.yaml").read_text())) | {"DAGSTER_HOME"}
    read |= {"DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS", "DAGSTER_EVENT_BATCH_SIZE"}  # by Dagster
    given = {n for n in image_environment() if not n.startswith(("PYTHON", "PATH"))}
    for name in OURS:
        given |= set(services()[name]["environment"])
    assert given == read


def test_only_the_code_location_has_credentials_of_the_warehouse_and_the_sources() -> None:
    for name in ("webserver", "daemon"):
        assert set(services()[name]["environment"]) == {"HIC_DAGSTER_URL"}
        assert "HIC_PG_PASSWORD" not in str(services()[name])


def test_ports_are_open_to_this_server_only() -> None:
    ports = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert ports == {"webserver": ["127.0.0.1:${HIC_UI_PORT:-3000}:3000"]}
    assert compose()["networks"]["inside"] == {"internal": True}
    assert services()["postgres"]["networks"] == ["inside"]


def test_volumes_are_declared_and_files_exist() -> None:
    for service in services().values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            known = (DOCKER / source).is_file() if source.startswith(".") else source in compose()["volumes"]
            assert known, volume
    build = services()["daemon"]["build"]
    assert (DOCKER / build["context"]).resolve() == ROOT and (ROOT / build["dockerfile"]).is_file()


def test_state_is_kept_in_the_volume_the_image_points_to() -> None:
    environment = image_environment()
    assert "state:" + environment["HIC_HOME"] in services()["code_location"]["volumes"]
    assert Path(environment["HIC_DAGSTER_ARTIFACTS"]).is_relative_to(environment["HIC_HOME"])


def test_files_named_on_command_lines_are_in_the_image() -> None:
    inside = {target for _, target in copied()}
    words = [word for name in OURS for word in services()[name]["command"] if "=" in word and "/" in word]
    assert words
    for word in words:
        assert f"{IMAGE_ROOT}/{word.split('=')[1]}" in inside
    assert f"{image_environment()['DAGSTER_HOME']}/dagster.yaml" in inside


def test_the_workspace_names_the_code_location() -> None:
    (entry,) = yaml.safe_load((DOCKER / "workspace.yaml").read_text())["load_from"]
    command = services()["code_location"]["command"]
    server = entry["grpc_server"]
    assert server["host"] in services()
    assert f"--port={server['port']}" in command and f"--location-name={server['location_name']}" in command
    (local,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    assert f"--module-name={local['python_module']['module_name']}" in command
    assert local["python_module"]["location_name"] == server["location_name"]


def _help(command: list[str]) -> subprocess.CompletedProcess[str]:
    """``--help`` is answered only after the words before it were understood."""
    program = Path(sys.executable).with_name(command[0])
    return subprocess.run([program, *command[1:], "--help"], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", OURS)
def test_commands_are_understood(name: str) -> None:
    done = _help(services()[name]["command"])
    assert done.returncode == 0 and "Usage:" in done.stdout, done.stderr


def test_a_wrong_option_would_be_noticed() -> None:
    assert _help([*services()["daemon"]["command"], "--no-such-option"]).returncode == 2


def test_compose_itself_agrees(tmp_path: Path) -> None:
    command = [shutil.which("docker") or "docker", "compose"]
    try:
        subprocess.run([*command, "version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no docker compose here")
    (tmp_path / "env").write_text("".join(f"{name}={value}\n" for name, value in FILLED.items()))
    call = [*command, "--file", str(DOCKER / "compose.yaml"), "--env-file", str(tmp_path / "env"), "config", "--quiet"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
