"""What docker/ says, read as data: services, instructions, variables. Nothing of Docker itself is needed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
IMAGE_ROOT = "/srv/hic"
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?P<operator>:[?-])?(?P<word>[^}]*)\}")


def compose() -> dict[str, Any]:
    """The Compose file, merges and anchors resolved, variables as written."""
    parsed: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return parsed


def services() -> dict[str, dict[str, Any]]:
    """The services by name."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def variables(text: str) -> list[tuple[str, str, str]]:
    """(name, operator, word) of every ``${NAME:?word}``, ``${NAME:-word}`` and ``${NAME}``."""
    return [(m["name"], m["operator"] or "", m["word"]) for m in _VARIABLE.finditer(text)]


def interpolate(text: str, values: dict[str, str]) -> str:
    """Text with variables put in, as Compose does; KeyError for a variable that must be set and is not."""

    def value(match: re.Match[str]) -> str:
        given = values.get(match["name"], "")
        if not given and match["operator"] == ":?":
            raise KeyError(match["name"])
        return given or (match["word"] if match["operator"] == ":-" else "")

    return _VARIABLE.sub(value, text)


def example_variables() -> dict[str, str]:
    """Variables of env.example and what stands behind the sign of equality."""
    lines = (DOCKER / "env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def instructions() -> list[tuple[str, str]]:
    """(instruction, rest) of the Dockerfile, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (DOCKER / "Dockerfile").read_text(), flags=re.M).replace("\\\n", " ")
    parts = [line.strip().split(None, 1) for line in text.splitlines() if line.strip()]
    return [(word.upper(), " ".join(rest.split())) for word, rest in parts]


def copied() -> list[tuple[str, str]]:
    """(path in the checkout, absolute path in the image) of every COPY from the build context."""
    found = []
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            *sources, target = shlex.split(rest)
            into = f"{IMAGE_ROOT}/{target.removeprefix('./')}"
            found += [(s, f"{into}{s}" if into.endswith("/") else into) for s in sources]
    return found


def image_environment() -> dict[str, str]:
    """Variables the final image sets."""
    last = [rest for word, rest in instructions() if word == "ENV"][-1]
    return dict(pair.split("=", 1) for pair in shlex.split(last))
