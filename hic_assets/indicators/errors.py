"""The one error of the indicator language.

Belongs here: how a refusal is worded (reason, item, position, excerpt). Does not belong here: any rule of the
language.
"""

from __future__ import annotations

_EXCERPT = 24


class ExpressionError(ValueError):
    """An expression that is not evaluated, with the reason, where it stands and what stands there.

    `position` counts characters from 0. `item` is the offending word or item ("" at the end of the text).
    `code` names the rule: an entry of `language.REFUSED`, or "syntax", "type", "limit", "unknown", "cycle".
    """

    def __init__(self, reason: str, text: str, position: int, *, item: str = "", code: str = "syntax") -> None:
        self.reason = reason
        self.position = position
        self.item = item[:60]
        self.code = code
        self.excerpt = excerpt(text, position)
        shown = f" {self.item!r}" if self.item else ""
        super().__init__(f"{reason}:{shown} at character {position}, near {self.excerpt!r}")


def excerpt(text: str, position: int) -> str:
    """Up to 48 characters around `position`, with an ellipsis where the text goes on."""
    start, end = max(0, position - _EXCERPT), position + _EXCERPT
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
