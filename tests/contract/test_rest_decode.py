"""Records as text: faithful to what came, nothing lost, and nothing raised for what a record holds."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hic_assets.extract.rest.bodies import without_half_pairs
from hic_assets.extract.rest.decode import MOST_UNKNOWN, decode
from hic_assets.extract.rest.moments import TimeForm
from hic_assets.extract.rest.resource import Form, Member

TEXT = Member("a", "a", "")
NESTED = Member("upid", "patient.id.upid", "")
JSON = Member("list", "list", "", form=Form.JSON)


def one(record: bytes, member: Member = TEXT) -> str | None:
    decoded = decode([record], [member])
    assert decoded.rejects == []
    return decoded.frame[member.column].item()


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("1.50", "1.50"), ("-0.0", "-0.0"), ("1e400", "1e400"), ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("9" * 5000, "9" * 5000), ("true", "true"), ("false", "false"), ("null", None), ('""', None), ('"null"', "null"),
        ('" x "', " x "), ('"12"', "12"), ("12", "12"), ('"a\\"b\\\\"', 'a"b\\'), ('"\\u00e9\\ud83d\\ude00"', "é😀"),
        ('"\\u0000"', "\x00"), ('"[x"', "[x"), ("[2, 1.50]", "[2,1.50]"), ('{"b": 1, "a": null}', '{"a":null,"b":1}'),
        ('"\\\\ud800"', "\\ud800"),
    ],
)  # fmt: skip
def test_text_is_as_it_came(written: str, text: str | None) -> None:
    assert one(f'{{ "a" : {written} }}'.encode()) == text


@given(st.one_of(st.text(min_size=1), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans()))
def test_any_value_comes_through(value: Any) -> None:
    for ascii_only in (True, False):
        try:
            record = json.dumps({"a": value}, ensure_ascii=ascii_only).encode()
        except UnicodeEncodeError:
            return
        decoded = decode([record], [TEXT])
        wanted = value if isinstance(value, str) else json.dumps(value)
        assert decoded.frame["a"].to_list() == [wanted]
        assert decoded.without_nul == ("\x00" not in str(value))


LISTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(LISTS)
def test_nested_json_is_canonical_and_the_same_data(value: Any) -> None:
    text = one(json.dumps({"list": value}, indent=2).encode(), JSON)
    if value is None:
        assert text is None
    else:
        assert text is not None
        assert json.loads(text) == value
        assert text == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).replace(
            "\x7f", "\x7f"
        )


def test_numbers_in_nested_json_stay_as_written() -> None:
    written = b'{"list": [{"z": 1.50, "a": 100000000000000000000000}, 1e400, 0.10]}'
    assert one(written, JSON) == '[{"a":100000000000000000000000,"z":1.50},1e400,0.10]'


def test_a_way_that_ends_early_is_null_and_one_over_no_object_a_reject() -> None:
    records = [
        b'{"patient": {"id": {"upid": "U1"}}}', b"{}", b'{"patient": null}', b'{"patient": {"id": {}}}',
        b'{"patient": {"id": "U2"}}', b'{"patient": ["U3"]}', b'{"patient": {"id": {"upid": "U4"}}}',
    ]  # fmt: skip
    decoded = decode(records, [NESTED])
    assert decoded.frame["upid"].to_list() == ["U1", None, None, None, "U4"]
    assert [(line, rule, reason) for line, rule, reason in decoded.rejects] == [
        ('{"patient": {"id": "U2"}}', "shape", "patient.id is no object"),
        ('{"patient": ["U3"]}', "shape", "patient is no object"),
    ]


def test_what_is_no_record_is_a_reject_and_spoils_nothing() -> None:
    records = [
        b'{"a": "good"}', b"[1]", b"7", b"null", b'{"a": "\xff"}', b'{"a": "\\ud800 half"}', b"{broken", b'{"a": NaN}',
        b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", b'{"a": "also"}',
    ]  # fmt: skip
    decoded = decode(records, [TEXT])
    assert decoded.frame["a"].to_list() == ["good", "also"]
    assert [rule for _, rule, _ in decoded.rejects] == [
        "not_an_object", "not_an_object", "not_an_object", "not_text", "not_text", "not_json", "not_json", "not_json",
    ]  # fmt: skip
    assert decoded.rejects[3][0] == '{"a": "\N{REPLACEMENT CHARACTER}"}'
    assert decoded.rejects[0][0] == "[1]"


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (b'{"v": {"id": 12}, "patient": "%s"}' % (b"x" * 150_000), "12"),
        (b'{"patient": 5, "v": {"id": "a\\u00e9"}}', "a\u00e9"),
        (b'{"v": {"id": "a"}, "who": "\xff"}', "a"),
        (b'{"v": {"id": "%s"}, "patient": 5}' % (b"x" * 2_000), None),
        (b'{"v": 5, "patient": 5}', None),
        (b'{"v": null, "patient": 5}', None),
        (b'{"patient": 5}', None),
        (b"[1]", None),
        (b"{broken", None),
        (b'{"v": {"id": "a"}, "who": ' + b"[" * 5000 + b"]" * 5000 + b"}", None),
    ],
)
def test_of_a_record_that_is_refused_the_key_is_told_where_it_has_one(record: bytes, key: str | None) -> None:
    members = [Member("id", "v.id", "Key.", key=True), Member("upid", "patient.upid", "Who.")]
    decoded = decode([b'{"v": {"id": 1}}', record], members)
    assert decoded.frame["id"].to_list() == ["1"]
    assert decoded.reject_keys == [key]
    assert len(decoded.rejects[0][0]) <= 100_000


def test_lines_that_are_records_only_when_joined_are_none() -> None:
    decoded = decode([b'{"a": "1"},{"a": "2"}', b'{"a": "3"', b'"b": 1}'], [TEXT])
    assert decoded.frame.is_empty()
    assert len(decoded.rejects) == 3


@pytest.mark.parametrize("depth", [200, 900, 980, 990, 994, 996, 998, 1000, 1002, 1100, 100_000])
@pytest.mark.parametrize("member", [TEXT, replace(JSON, column="a", path="a")])
def test_nothing_is_raised_at_any_depth(depth: int, member: Member) -> None:
    decoded = decode([b'{"a": ' + b"[" * depth + b"]" * depth + b"}", b'{"a": 1}'], [member])
    assert decoded.frame.height + len(decoded.rejects) == 2
    assert decoded.frame["a"].to_list()[-1] == "1"
    assert decoded.frame.height == (2 if depth == 200 else decoded.frame.height)


def test_members_that_nobody_takes_are_named_and_their_number_is_bounded() -> None:
    records = [b'{"a": 1, "new": 2, "patient": {"nid": 3, "id": {"upid": "U"}}}', b'{"newer": {"x": 1}}']
    assert decode(records, [TEXT, NESTED]).unknown == ("patient.nid", "new", "newer")
    flood = json.dumps({f"{'k' * 300}{n}": n for n in range(5000)}).encode()
    assert len(decode([flood], [TEXT]).unknown) <= MOST_UNKNOWN
    assert max(map(len, decode([flood], [TEXT]).unknown)) <= 100


def test_instants_are_written_in_utc_and_what_is_none_stays() -> None:
    member = Member("u", "u", "", instant=TimeForm.EPOCH_MS)
    records = [b'{"u": 1772435700123}', b'{"u": "1772435700123"}', b'{"u": "soon"}', b"{}"]
    written = "2026-03-02T07:15:00.123000+0000"
    assert decode(records, [member]).frame["u"].to_list() == [written, written, "soon", None]


def test_a_status_can_be_a_tombstone() -> None:
    member = Member("deleted", "status", "", true_when=frozenset({"CANCELLED"}))
    records = [b'{"status": "CANCELLED"}', b'{"status": "ACTIVE"}', b"{}"]
    assert decode(records, [member]).frame["deleted"].to_list() == ["true", "false", "false"]


@given(st.binary(max_size=60))
def test_half_pairs_are_all_that_is_taken_out(data: bytes) -> None:
    found = without_half_pairs(b'"' + data + b'"')
    if b"\\u" not in data:
        assert found == b'"' + data + b'"'


def test_half_pairs_and_whole_ones() -> None:
    assert without_half_pairs(rb'"\ud83d\ude00 \\ud83d \ud83d x \ude00"') == b'"\\ud83d\\ude00 \\\\ud83d \xff x \xff"'
    assert msgspec.json.decode(without_half_pairs(rb'"\ud83d\ude00"')) == "😀"
