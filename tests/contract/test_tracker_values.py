"""Lists of values as canonical JSON text, and replies as records: pure, so tried on anything."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hic_assets.extract.dhis2.dialect import dialect_of
from hic_assets.extract.dhis2.timestamps import utc_expr, utc_series
from hic_assets.extract.dhis2.tracker.decoding import Paging, decode, mended
from hic_assets.extract.dhis2.tracker.fields import Kind
from hic_assets.extract.dhis2.tracker.frames import record_frame
from hic_assets.extract.dhis2.tracker.json_values import NoValues, canonical_json, canonical_values
from hic_assets.extract.dhis2.tracker.question import whole_records

canonical = canonical_values("dataElement")
# Whatever JSON can say: half of a surrogate pair is no text.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789", min_size=1, max_size=11)
SHAPE = whole_records(Kind.EVENTS, "HivPrgRw001", dialect_of("2.42.5.2")).shape


def listed(values: dict[str, Any], **style: Any) -> msgspec.Raw:
    found = [{"dataElement": key, "value": value, "providedElsewhere": False} for key, value in values.items()]
    return msgspec.Raw(json.dumps(found, **style).encode())


def text_of(raw: msgspec.Raw | bytes) -> str | None:
    found = canonical(msgspec.Raw(raw))
    return None if found is None else found.decode()


@given(st.dictionaries(KEYS, TEXT), st.booleans())
def test_every_text_survives_and_equal_values_are_equal_texts(values: dict[str, str], ascii_only: bool) -> None:
    found = text_of(listed(values, ensure_ascii=ascii_only))
    turned = dict(reversed(values.items()))
    assert found == text_of(listed(turned, separators=(",", ":"), ensure_ascii=not ascii_only))
    if not values:
        assert found is None
        return
    assert found is not None
    assert json.loads(found) == values
    assert list(json.loads(found)) == sorted(values)
    # Non-ASCII as it is, no spaces that are not in a value.
    assert found == json.dumps(dict(sorted(values.items())), ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("true", '"true"'),
        ("1.50", '"1.50"'),
        ("-0.0", '"-0.0"'),
        ("1e5", '"1e5"'),
        ("12345678901234567890123", '"12345678901234567890123"'),
        ('"\\u0000"', '"\\u0000"'),
        ('"\\u00e9\\/"', '"é/"'),
        ('""', '""'),
        ('{"a": [1, null]}', '"{\\"a\\":[1,null]}"'),
    ],
)
def test_values_become_text_as_json_writes_them(value: str, text: str) -> None:
    raw = f'[{{"dataElement":"b","value":{value}}},{{"dataElement":"a","value":"x"}}]'
    assert text_of(raw.encode()) == f'{{"a":"x","b":{text}}}'


def test_null_values_are_left_out() -> None:
    assert (
        text_of(b'[{"dataElement":"a","value":null},{"dataElement":"b"},{"dataElement":"c","value":"1"}]')
        == '{"c":"1"}'
    )
    for nothing in (b"null", b"[]", b'[{"dataElement":"a","value":null}]', b'[{"dataElement":"a"}]'):
        assert text_of(nothing) is None


@pytest.mark.parametrize("raw", [b'"x"', b"{}", b"[1]", b'[{"value":"x"}]', b'[{"dataElement":1,"value":"x"}]'])
def test_what_is_no_list_of_values(raw: bytes) -> None:
    with pytest.raises(NoValues):
        text_of(raw)


def test_a_geometry() -> None:
    raw = msgspec.Raw(b'{ "type":"Point", "coordinates": [30.0, -1.95] }')
    assert canonical_json(raw) == b'{"coordinates":[30.0,-1.95],"type":"Point"}'
    assert canonical_json(msgspec.Raw(b"null")) is None


FLAT = {"page": 1, "pageSize": 50, "total": 7, "pageCount": 1}


@pytest.mark.parametrize(
    ("envelope", "paging"),
    [
        ({"instances": []} | FLAT, Paging(50, 7, 1)),
        ({"instances": [], "page": 1, "pageSize": 50}, Paging(50)),
        ({"events": [], "pager": {"page": 1, "pageSize": 10}} | FLAT, Paging(10, 7, 1)),
        ({"events": [], "pager": {"page": 1, "pageSize": 10, "nextPage": "http://x"}}, Paging(10, has_next=True)),
        ({"events": [], "pager": {"prevPage": "http://x"}}, Paging()),
        ({"events": []}, Paging()),
    ],
)
def test_paging_of_every_envelope(envelope: dict[str, Any], paging: Paging) -> None:
    assert decode(json.dumps(envelope).encode(), SHAPE).paging == paging


@given(st.text(max_size=20), st.text(max_size=20))
def test_mending_changes_only_what_is_no_character(first: str, second: str) -> None:
    """Halves of surrogate pairs included, which Python's own encoder writes and no other decoder takes."""
    body = json.dumps({"events": [{"event": first, "status": second}]}).encode()
    (record,) = decode(mended(body), SHAPE).records

    def whole(text: str) -> str:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    assert (record.event, record.status) == (whole(first), whole(second))


@given(st.lists(st.text(st.sampled_from('\x00\\u0\n"a'), max_size=8), max_size=4), st.booleans())
def test_no_nul_is_overlooked(texts: list[str], many: bool) -> None:
    """Nor is an escaped backslash before u0000 taken for one."""
    events = [{"event": text} for text in texts]
    filler = [{"event": "\n" * 25_000}] if many else []
    found = decode(json.dumps({"events": filler + events}).encode(), SHAPE)
    held = any("\x00" in text for text in texts)
    assert not (held and found.without_nul)
    assert many or found.without_nul == (not held)


@pytest.mark.parametrize("zone", ["UTC", "Africa/Kigali", "Europe/Oslo"])
@pytest.mark.parametrize(
    "odd",
    [
        "2025-03-30T02:30:00.000",
        "2025-10-26T02:30:00.000",
        "2025-03-03T10:00:00",
        "2025-03-03 10:00:00.5",
        "2025-03-03T10:00:00.123+0200",
        "2025-03-03T10:00:00Z",
        "2025-03-03",
        "2025-03-03T10:00:00.123456",
        "soon",
        "",
    ],
)
def test_the_cheap_way_to_an_instant_is_the_thorough_one(zone: str, odd: str) -> None:
    for texts in ([odd], ["2025-03-03T10:00:00.123", odd, None]):
        series = pl.Series("t", texts, dtype=pl.String)
        assert utc_series(series, zone).equals(series.to_frame().select(utc_expr("t", zone))["t"])


def test_one_odd_record_leaves_the_others_as_they_are() -> None:
    usual = {"event": "ev1", "status": "ACTIVE", "dataValues": [{"dataElement": "a", "value": "1"}]}
    alone = decode(json.dumps({"events": [usual]}).encode(), SHAPE)
    beside = decode(json.dumps({"events": [usual, {"event": "ev2", "status": 1.50, "deleted": True}]}).encode(), SHAPE)
    frames = [record_frame(one.records, SHAPE.members, "UTC")[0] for one in (alone, beside)]
    assert frames[1].head(1).equals(frames[0])
    assert frames[1].row(1, named=True)["status"] == "1.5"
    assert frames[1].row(1, named=True)["deleted"] == "true"
