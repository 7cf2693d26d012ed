"""The Dockerfile: it copies what exists, installs what is pinned, and runs as nobody in particular."""

from __future__ import annotations

import fnmatch
import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

from docker_files import IMAGE_ROOT, ROOT, copied, instructions, services
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _all(word: str) -> list[str]:
    return [rest for found, rest in instructions() if found == word]


def test_everything_copied_exists_and_is_sent_to_the_build() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    sent = [rule[1:] for rule in rules if rule.startswith("!")]
    assert "*" in rules and copied()
    for source, _ in copied():
        assert (ROOT / source.removeprefix("./")).exists(), source
        assert source.removeprefix("./") in sent, f".dockerignore keeps {source} out"
    assert {source.removeprefix("./") for source, _ in copied()} == set(sent)


def test_nothing_private_is_sent_to_the_build() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    sent = [rule[1:] for rule in rules if rule.startswith("!")]
    for private in (".env", "docker/.env", "var/postgres", ".git/config", ".venv/pyvenv.cfg", "tests/conftest.py"):
        assert not any(private == rule or private.startswith(f"{rule}/") for rule in sent), private
    last = max(i for i, rule in enumerate(rules) if rule.startswith("!"))
    assert {"dbt_project/target", "dbt_project/logs", "**/__pycache__"} <= set(rules[last:])
    assert any(fnmatch.fnmatch("dbt_project/.user.yml", rule) for rule in rules[last:])


def test_the_package_finds_its_files_in_the_image() -> None:
    """The code looks for dbt_project/ and dagster.yaml in the folder that holds the package."""
    targets = dict(copied())
    assert targets["hic_assets"] == f"{IMAGE_ROOT}/hic_assets"
    assert targets["dbt_project"] == f"{IMAGE_ROOT}/dbt_project"
    assert targets["pyproject.toml"] == f"{IMAGE_ROOT}/pyproject.toml"
    assert _all("WORKDIR") == [IMAGE_ROOT, IMAGE_ROOT]
    kept = [rest for rest in _all("COPY") if rest.startswith("--from=build")]
    assert f"--from=build {IMAGE_ROOT} {IMAGE_ROOT}" in kept
    for path in (PROJECT["readme"], "LICENSE", "constraints.txt"):
        assert path in targets


def test_pip_installs_as_make_does_but_without_extras() -> None:
    (pip,) = [rest for rest in _all("RUN") if rest.startswith("pip install")]
    words = pip.split()
    made = re.search(r"pip install (.*)", (ROOT / "Makefile").read_text())
    assert made is not None
    by_make = made[1].replace("'", "").replace(".[dev]", ".").replace("--quiet ", "").split()
    assert [w for w in words[2:] if w != "--no-cache-dir"] == by_make
    assert words[-1] == "." and not re.search(r"index|trusted-host|http", pip)


def test_every_package_of_the_image_is_pinned() -> None:
    """What the requirements pull in (no extras of ours), as far as it is installed here, stands in constraints.txt."""
    lines = re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), flags=re.M)
    pins = {canonicalize_name(name): version for name, version in lines}
    todo = [(Requirement(line), "") for line in PROJECT["dependencies"]]
    seen: set[tuple[str, str]] = set()
    while todo:
        wanted, extra = todo.pop()
        name = canonicalize_name(wanted.name)
        if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
            continue
        assert name in pins, f"{name} is in no constraint"
        assert wanted.specifier.contains(pins[name], prereleases=True), f"{wanted} against {pins[name]}"
        for part in {"", *wanted.extras} - {e for n, e in seen if n == name}:
            seen.add((name, part))
            todo += [(Requirement(line), part) for line in metadata.requires(name) or []]
    assert len({n for n, _ in seen}) > 60


def test_the_python_of_the_image_is_supported() -> None:
    (version,) = {re.findall(r"python:(\d+\.\d+\.\d+)", rest)[0] for rest in _all("FROM")}
    assert Requirement(f"x{PROJECT['requires-python']}").specifier.contains(version)


def test_the_manifest_is_parsed_when_the_image_is_built() -> None:
    order = [rest for _, rest in instructions()]
    assert "hic manifest" in _all("RUN")
    assert order.index("dbt_project ./dbt_project") < order.index("hic manifest")
    assert PROJECT["scripts"]["hic"] == "hic_assets.cli:main"


def test_it_does_not_run_as_root() -> None:
    (user,) = _all("USER")
    assert user == services()["code_location"]["user"]
    uid = user.split(":")[0]
    assert any(f"useradd --uid {uid}" in rest for rest in _all("RUN"))
    last = [word for word, _ in instructions()]
    assert last.index("USER") > max(i for i, word in enumerate(last) if word in ("COPY", "RUN"))


def test_the_image_by_itself_is_the_code_location() -> None:
    service = services()["code_location"]
    (command,) = _all("CMD")
    words = [part for word in service["command"] for part in word.split("=", 1)]
    assert json.loads(command) == words
    check = _all("HEALTHCHECK")[0]
    assert json.loads(check[check.index("[") :]) == service["healthcheck"]["test"][1:]
    port = words[words.index("--port") + 1]
    assert _all("EXPOSE") == [port] and f'"{port}"' in check


def test_no_file_names_the_machine_it_was_written_on() -> None:
    files = [*(ROOT / "docker").iterdir(), ROOT / ".dockerignore", ROOT / "CONTRIBUTING.md"]
    for path in files:
        text = Path(path).read_text()
        assert str(ROOT) not in text and str(Path.home()) not in text, path.name
        assert not re.search(r"index-url|extra-index|simple/", text), path.name
