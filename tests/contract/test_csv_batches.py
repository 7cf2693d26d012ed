"""CSV on disk to frames: every row once, whatever is inside it and wherever the chunks fall."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hic_assets.extract.batches import Batch
from hic_assets.extract.csv_batches import CsvBody, CsvLayout
from hic_assets.extract.errors import WrongColumns

LAYOUT = CsvLayout({"a": "first", "b": "second", "c": "third"}, frozenset({"a", "b"}), {"third": "null"})
HEADER = b"a,b,c\n"


def read(path: Path, data: bytes, chunk_bytes: int = 1 << 20, layout: CsvLayout = LAYOUT) -> list[Batch]:
    path.write_bytes(data)
    return list(CsvBody(path, layout, "hmis", "http://x").batches("slice", chunk_bytes))


def rows(batches: list[Batch]) -> list[tuple[str | None, ...]]:
    return [row for batch in batches for row in batch.frame.rows()]


def rejects(batches: list[Batch]) -> list[tuple[str, str]]:
    return [row[:2] for batch in batches if batch.rejects is not None for row in batch.rejects.rows()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.csv"


def test_empty_and_null_become_null(path: Path) -> None:
    batches = read(path, HEADER + b'1,,null\n"null","","x"\n')
    assert rows(batches) == [("1", None, None), ("null", None, "x")]
    assert batches[0].frame.schema == dict.fromkeys(["first", "second", "third"], pl.String)
    assert batches[0].rejects is None


def test_columns_go_by_name_whatever_their_case_and_order(path: Path) -> None:
    path.write_bytes("\ufeffX,B,A\n9,2,1\n".encode())
    body = CsvBody(path, LAYOUT, "hmis", "http://x")
    batches = list(body.batches("slice"))
    assert rows(batches) == [("1", "2", None)]
    assert body.unknown_columns == ("x",)


@pytest.mark.parametrize(
    ("header", "said"),
    [(b"a,c\n", "no column b"), (b"a,b,a\n", "column a more than once"), (b"", "no column a, b")],
)
def test_a_wrong_header_is_refused_by_name(path: Path, header: bytes, said: str) -> None:
    with pytest.raises(WrongColumns, match=said):
        read(path, header + b"1,2\n")


def test_no_rows_no_batches(path: Path) -> None:
    assert read(path, HEADER) == []


@pytest.mark.parametrize("chunk_bytes", [1, 7, 40, 1 << 20])
def test_bad_rows_go_aside_with_their_text_and_the_good_ones_on(path: Path, chunk_bytes: int) -> None:
    data = HEADER + b'1,x,\n2,y\n3,y,z,w\n4,\xff\xfe,z\n5,n\0ul,z\n6,"q, ""q""\nline",null\n\n7,end,\r\n8,last,x\n'
    batches = read(path, data, chunk_bytes)
    assert rows(batches) == [
        ("1", "x", None),
        ("6", 'q, "q"\nline', None),
        ("7", "end", None),
        ("8", "last", "x"),
    ]
    assert rejects(batches) == [
        ("2,y", "ragged"),
        ("3,y,z,w", "ragged"),
        ("4,\ufffd\ufffd,z", "invalid_utf8"),
        ("5,n\ufffdul,z", "nul_byte"),
    ]
    assert sum(batch.rows for batch in batches) == 8


def test_a_short_and_a_long_row_do_not_make_up_for_each_other(path: Path) -> None:
    batches = read(path, HEADER + b"1,2,3\n1,2\n1,2,3,4\n")
    assert rows(batches) == [("1", "2", "3")]
    assert len(rejects(batches)) == 2


@pytest.mark.parametrize("chunk_bytes", [5, 1 << 20])
def test_a_quote_left_open_costs_its_own_line_only(path: Path, chunk_bytes: int) -> None:
    good = b"".join(b"%d,x,y\n" % number for number in range(100))
    batches = read(path, HEADER + b'0,"open,y\n' + good, chunk_bytes)
    assert len(rows(batches)) == 100
    assert rejects(batches) == [('0,"open,y', "open_quote")]


def test_a_row_that_only_the_csv_module_reads_is_kept(path: Path) -> None:
    assert rows(read(path, HEADER + b'1,"ab"x,null\n2,,z\n')) == [("1", "abx", None), ("2", None, "z")]


def test_the_last_row_may_lack_its_newline(path: Path) -> None:
    assert rows(read(path, HEADER + b"1,2,3\n4,5,6")) == [("1", "2", "3"), ("4", "5", "6")]


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(CELL, CELL, CELL), max_size=25),
    st.integers(1, 200),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_any_table_comes_back_as_it_was_written(
    path: Path, table: list[tuple[str, str, str]], chunk_bytes: int, quoting: Literal[0, 1]
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=quoting).writerows([("a", "b", "c"), *table])
    batches = read(path, text.getvalue().encode(), chunk_bytes)
    expected = [(a or None, b or None, None if c in {"", "null"} else c) for a, b, c in table]
    assert rows(batches) == expected
    assert rejects(batches) == []


def test_text_that_looks_like_compressed_data_is_text(path: Path) -> None:
    batches = read(path, HEADER + b"x^b,1,2\ny,3,4\n")
    assert rows(batches) == [("x^b", "1", "2"), ("y", "3", "4")]
    assert rejects(batches) == []


def test_batches_say_that_no_cell_holds_a_nul(path: Path) -> None:
    batches = read(path, HEADER + b"1,a\0b,x\n" + b"2,b,x\n" * 50, 64)
    assert len(batches) > 1
    assert all(batch.without_nul for batch in batches)
    assert [rule for _, rule in rejects(batches)] == ["nul_byte"]
    assert len(rows(batches)) == 50
