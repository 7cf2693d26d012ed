"""What a clinical server refuses, and the bodies in which servers say so.

Belongs here: the exception, and the shapes of error bodies that vendors use. Does not belong here: when to refuse.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.responses import Response


@dataclass
class Problem(Exception):
    """A request the server refuses. ``fields`` says by parameter what is wrong with it (422)."""

    status: int
    message: str
    fields: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message

    @property
    def title(self) -> str:
        """The status in words, the same in every Python version (422 was renamed)."""
        return "Unprocessable Content" if self.status == 422 else HTTPStatus(self.status).phrase

    @property
    def code(self) -> str:
        """The status in words that a program can compare: ``UNPROCESSABLE_CONTENT``."""
        return self.title.upper().replace(" ", "_").replace("-", "_")


ErrorStyle = Callable[[Problem], Response]


def _json(problem: Problem, content: object, media_type: str = "application/json") -> Response:
    body = json.dumps(content, ensure_ascii=False)
    return Response(body, problem.status, dict(problem.headers), media_type=media_type)


def envelope(problem: Problem) -> Response:
    """``{"error": {"code", "message", "details": [{"parameter", "reason"}]}}``."""
    details = [{"parameter": name, "reason": reason} for name, reason in problem.fields.items()]
    return _json(problem, {"error": {"code": problem.code, "message": problem.message, "details": details}})


def problem_json(problem: Problem) -> Response:
    """RFC 9457: ``application/problem+json`` with ``errors`` as an extension."""
    content = {"type": "about:blank", "title": problem.title, "status": problem.status}
    errors = [{"parameter": name, "detail": reason} for name, reason in problem.fields.items()]
    return _json(problem, {**content, "detail": problem.message, "errors": errors}, "application/problem+json")


def openmrs(problem: Problem) -> Response:
    """``{"error": {"message": "[...]", "code", "detail"}}``, as OpenMRS answers."""
    detail = "; ".join(f"{name}: {reason}" for name, reason in problem.fields.items())
    return _json(problem, {"error": {"message": f"[{problem.message}]", "code": problem.code, "detail": detail}})


def flat(problem: Problem) -> Response:
    """``{"status", "error", "message"}`` with the parameters named in the message."""
    named = "".join(f"; {name}: {reason}" for name, reason in problem.fields.items())
    return _json(problem, {"status": problem.status, "error": problem.title, "message": problem.message + named})
