"""What the dbt project says in macros: which facts measures are counted in, and how text becomes numbers.

Read from the project itself, so that an explanation follows a change of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"


@dataclass(frozen=True)
class FactMeasure:
    """A measure that is counted in a fact: SQL on the fact's columns, as in ``macros/fact_measures.sql``."""

    measure: str
    fact: str
    month: str
    unit: str
    value: str
    where: str


def relation(name: str) -> str:
    """``schema.name`` of a model or seed: its folder is its schema."""
    if (PROJECT / "seeds" / f"{name}.csv").exists():
        return f"staging.{name}"
    (found,) = (PROJECT / "models").rglob(f"{name}.sql")
    return f"{found.relative_to(PROJECT / 'models').parts[0]}.{name}"


@cache
def fact_measures() -> dict[str, FactMeasure]:
    """The measures that are counted in facts, by code."""
    told: list[list[dict[str, str]]] = []
    _macros("fact_measures", told.append).fact_measures()
    return {line["measure"]: FactMeasure(**line) for line in told[0]}


def clean(kind: str, column: str) -> str:
    """SQL that makes a value of a raw column: ``clean('number', 'r.value')``."""
    return str(getattr(_macros("clean"), f"clean_{kind}")(column)).strip()


@cache
def _macros(file: str, returned: Any = None) -> Any:
    text = (PROJECT / "macros" / f"{file}.sql").read_text()
    words = {"ref": relation, "return": returned}
    # SQL, not a page.
    return Environment(autoescape=False).from_string(text, globals=words).module  # noqa: S701
