"""A running clinical system held to its published contract by schemathesis: what is common to all systems.

A system's test is parametrised by ``contract(name).parametrize()``, with ``FEW`` examples an operation, and calls
``hold(case, sandbox, headers)``. (``schemathesis.pytest.from_fixture`` does not work with pytest 9.)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation.modes import GenerationMode

from hic_assets.sandbox import Sandbox
from hic_assets.sandbox.server.clinical.contract import FOLDER

FEW = settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
_DAYS = st.dates(date(2025, 1, 1), date(2026, 12, 31))
_TIMES = st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31))
# what no schema can say: conditions between parameters, and cursors
BETWEEN = ("is required", "is before", "was not given out")


def contract(name: str) -> Any:
    """The contract as it is published."""
    schemathesis.openapi.format("slashed-day", _DAYS.map(lambda d: f"{d:%d/%m/%Y}"))
    schemathesis.openapi.format("slashed-time", _TIMES.map(lambda t: f"{t:%d/%m/%Y %H:%M:%S}"))
    return schemathesis.openapi.from_path(FOLDER / f"{name}.yaml")


def hold(
    case: Any, sandbox: Sandbox, name: str, headers: Mapping[str, str], between: tuple[str, ...] = BETWEEN
) -> None:
    """Ask, and check everything: status, content type, headers and body declared; wrong questions refused, right ones
    answered, except for the conditions between parameters that a schema cannot say.
    """
    load_all_checks()
    acceptance = CHECKS.get_one("positive_data_acceptance")
    reply = case.call_and_validate(sandbox.urls[name], headers=dict(headers), excluded_checks=[acceptance])
    positive = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    if positive and reply.status_code == 422:
        assert any(reason in reply.text for reason in between), reply.text
