"""Characters to tokens of an indicator expression.

Belongs here: token shapes, data items, refused items recognised by their opening. Does not belong here:
precedence. Source: lexer rules of Expression.g4 (dhis2-antlr-expression-parser). A function name includes its
"(", as there: `if(` is a function, `if (` is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from hic_assets.indicators.errors import ExpressionError
from hic_assets.indicators.language import FUNCTIONS, REFUSED

MAX_LENGTH: Final = 20_000
"""Longest expression read, in characters; DHIS2 itself sets no limit."""

Type = Literal["number", "text", "word", "item", "function", "op", "end"]

_SPACE = re.compile(r"[ \t\r\n]+")
NUMBER = re.compile(r"(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ITEM = re.compile(r"(#|R|C|OUG|N)\{([^{}]*)\}|\[days\]")
_REFUSED_ITEM = re.compile(r"[DAIVX]\{|PS_EVENTDATE:|\[periodInYear\]|\[yearlyPeriodCount\]")
_MODIFIER = re.compile(r"\.([A-Za-z]+)\(")
_FUNCTION = re.compile(r"(orgUnit\.[A-Za-z]+|d2:[A-Za-z]+|[A-Za-z][A-Za-z0-9]*)\(")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TEXT = re.compile(r"'(?:[^'\\\r\n]|\\.)*'|\"(?:[^\"\\\r\n]|\\.)*\"")
_OP = re.compile(r"&&|\|\||==|!=|<>|<=|>=|[-+*/%^<>!(),=]")
_HINTS = {"=": "equality is written == in DHIS2", "<>": "inequality is written != in DHIS2"}


@dataclass(frozen=True)
class Token:
    """One token; `value` is the text without brackets, quotes or the opening "("."""

    type: Type
    value: str
    pos: int


def tokenize(text: str) -> list[Token]:
    """The tokens of an expression, closed by an "end" token. ExpressionError names what cannot be read."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH} characters", text, MAX_LENGTH, code="limit")
    tokens: list[Token] = []
    pos = 0
    while pos < len(text):
        if space := _SPACE.match(text, pos):
            pos = space.end()
            continue
        token, pos = _next(text, pos)
        tokens.append(token)
    return [*tokens, Token("end", "", len(text))]


def _next(text: str, pos: int) -> tuple[Token, int]:
    if item := _ITEM.match(text, pos):
        return Token("item", item.group(), pos), item.end()
    _refuse_at(text, pos)
    if function := _FUNCTION.match(text, pos):
        return Token("function", function.group(1), pos), function.end()
    if number := NUMBER.match(text, pos):
        return Token("number", number.group(), pos), number.end()
    if word := _WORD.match(text, pos):
        return Token("word", word.group(), pos), word.end()
    if quoted := _TEXT.match(text, pos):
        return Token("text", re.sub(r"\\(.)", r"\1", quoted.group()[1:-1]), pos), quoted.end()
    if op := _OP.match(text, pos):
        if op.group() in _HINTS:
            raise ExpressionError(_HINTS[op.group()], text, pos, item=op.group())
        return Token("op", op.group(), pos), op.end()
    raise ExpressionError("unexpected character", text, pos, item=text[pos])


def _refuse_at(text: str, pos: int) -> None:
    """Raise when a refused item, modifier or function, or an unknown one, opens at `pos`."""
    if item := _REFUSED_ITEM.match(text, pos):
        raise refusal(item.group(), text, pos)
    if modifier := _MODIFIER.match(text, pos):
        raise refusal(f".{modifier.group(1)}", text, pos)
    function = _FUNCTION.match(text, pos)
    if function and function.group(1) not in FUNCTIONS:
        name = function.group(1)
        code = "d2:" if name.startswith("d2:") else name
        if code in ("and", "or", "not", "in"):
            raise ExpressionError(f"write a space after {code!r}", text, pos, item=name)
        raise refusal(code, text, pos, item=name)


def refusal(code: str, text: str, pos: int, *, item: str = "") -> ExpressionError:
    """The error for an entry of `language.REFUSED`, or for a name DHIS2 does not know."""
    if code in REFUSED:
        return ExpressionError(f"cannot be compiled ({REFUSED[code]})", text, pos, item=item or code, code=code)
    return ExpressionError("not part of the indicator language", text, pos, item=item or code, code="unknown")
