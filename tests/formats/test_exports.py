"""What the writers of exports do with columns, sheets and rings."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.queries import Dimension
from service.errors import Invalid
from service.formats.exports import subjects
from service.formats.exports.columns import Kind, columns_of, picker
from service.formats.exports.registry import MEDIA, format_named
from service.formats.exports.writing import About, Content, Subject
from service.formats.tabular import REPORT_COLUMNS
from service.formats.views import (
    COVERAGE_COLUMNS,
    INCIDENT_COLUMNS,
    QUIET_COLUMNS,
    TALLY_COLUMNS,
    aggregate_columns,
    gap_columns,
)

LISTS = {
    "reports": REPORT_COLUMNS,
    "incidents": INCIDENT_COLUMNS,
    "tallies": TALLY_COLUMNS,
    "coverage": COVERAGE_COLUMNS,
    "aggregates": aggregate_columns([*Dimension]),
    "aggregates compared": aggregate_columns([*Dimension], compared=True),
    "two claimants": gap_columns([*Dimension]),
    "quiet": QUIET_COLUMNS,
}
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
FLAT = Subject(
    "rows",
    columns_of(["id", "summary", "start", "revision", "counted", "where.lat", "weapons"]),
    lambda item: ([*item["cells"]],),
    columns_of(["id", "summary", "start", "revision", "counted", "where.lat", "weapons"]),
    lambda item: [*item["cells"]],
)


def about(total: int) -> About:
    return About("a theatre", "here", None, "1", "/v1/rows", total)


def written(name: str, rows: Sequence[Sequence[Any]], *, parts: int = 2) -> bytes:
    items = [{"cells": row} for row in rows]
    chunks = [items[i::parts] for i in range(parts)]
    out = BytesIO()
    format_named(name).write(out, Content(FLAT, about(len(rows)), chunks))
    return out.getvalue()


@pytest.mark.parametrize("name", LISTS)
def test_every_column_has_a_kind_and_a_hashtag_of_its_own(name: str) -> None:
    columns = columns_of(LISTS[name])
    tags = [column.tag for column in columns]
    assert len(tags) == len(set(tags))
    for tag in tags:
        word, *attributes = tag.split("+")
        assert word in {
            *("#date", "#loc", "#geo", "#affected", "#org", "#event", "#cause", "#status"),
            *("#description", "#meta", "#indicator", "#access", "#group"),
        }
        assert all(a.replace("_", "").isalnum() and a.islower() for a in attributes)
        assert len(attributes) == len(set(attributes))


def test_a_column_that_nobody_described_is_a_fault() -> None:
    with pytest.raises(KeyError):
        columns_of(["figures.killed.median"])


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]),
        st.none() | st.integers() | st.dictionaries(st.sampled_from(["x", "y"]), st.integers()),
    )
)
def test_a_path_is_picked_as_it_is_walked(item: dict[str, Any]) -> None:
    def walked(path: str) -> Any:
        value: Any = item
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    plain = {k: v for k, v in item.items() if isinstance(v, dict) or k == "c"}
    item = {**plain, "c": None if isinstance(plain.get("c"), dict) else plain.get("c")}
    names = ["a.x", "a.y", "b.x", "c"]
    assert picker(names)(item) == [walked(name) for name in names]


ROWS = st.lists(
    st.tuples(
        st.uuids().map(str),
        st.none() | TEXT,
        st.none() | st.dates().map(str),
        st.none() | st.integers(-(2**50), 2**50),
        st.none() | st.booleans(),
        st.none() | st.floats(-90, 90, width=32),
        st.none() | st.lists(TEXT.filter(lambda text: ";" not in text), max_size=3),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(ROWS)
def test_parquet_gives_every_cell_back(rows: list[tuple[Any, ...]]) -> None:
    table = pq.read_table(BytesIO(written("parquet", rows, parts=1)))
    columns = [column.to_pylist() for column in table.columns]
    found = [list(row) for row in zip(*columns, strict=True)]
    wanted = [[*row] for row in rows]
    assert [[*r[:2], str(r[2]) if r[2] else None, *r[3:]] for r in found] == wanted


@settings(deadline=None)
@given(ROWS)
def test_a_sheet_gives_every_cell_back(rows: list[tuple[Any, ...]]) -> None:
    sheet = openpyxl.load_workbook(BytesIO(written("xlsx", rows, parts=1))).worksheets[0]
    _, *found = sheet.iter_rows(values_only=True, max_col=len(FLAT.columns))
    for row, (item, text, day, *rest, codes) in zip(found, rows, strict=True):
        assert row[0] == item
        assert openpyxl.utils.escape.unescape(row[1] or "") == (text or "")
        # What is older than Excel's calendar stays text.
        assert (row[2] and str(row[2])[:10]) == day
        assert list(row[3:6]) == [pytest.approx(r) if isinstance(r, float) else r for r in rest]
        assert openpyxl.utils.escape.unescape(row[6] or "") == ";".join(codes or [])


def test_a_text_longer_than_a_cell_is_cut_and_counted() -> None:
    rows = [["1", "x" * 32_767, None, None, None, None, None], ["2", "y" * 32_768, *[None] * 5]]
    book = openpyxl.load_workbook(BytesIO(written("xlsx", rows, parts=1)))
    _, whole, cut = book["rows"].iter_rows(min_col=2, max_col=2, values_only=True)
    assert whole == ("x" * 32_767,)
    assert cut == ("y" * 32_766 + "…",)
    assert dict(book["about"].iter_rows(values_only=True))["texts_cut"] == 1


def test_more_rows_than_a_sheet_has_are_refused_before_anything_is_read() -> None:
    def chunks() -> Iterator[Sequence[Any]]:
        pytest.fail("was read")
        yield []

    out = BytesIO()
    with pytest.raises(Invalid, match="no room"):
        format_named("xlsx").write(out, Content(FLAT, about(1_048_576), chunks()))
    assert out.getvalue() == b""


def test_formats_are_found_by_name_and_say_their_media_type() -> None:
    for media, name in MEDIA.items():
        assert format_named(name).media.partition(";")[0] == media
        assert format_named(name).suffix == name
    for name in ("json", "os", "columns", "../csv"):
        with pytest.raises(Invalid):
            format_named(name)


def test_an_empty_list_is_a_sound_file_in_every_format() -> None:
    assert written("ndjson", []) == b""
    assert written("csv", []).startswith(b"id,summary,")
    assert pq.read_table(BytesIO(written("parquet", []))).num_rows == 0
    assert openpyxl.load_workbook(BytesIO(written("xlsx", []))).worksheets[0].max_row == 1


def test_a_report_is_one_record_and_as_many_rows_as_it_has_lines() -> None:
    kinds = {column.name: column.kind for column in subjects.REPORTS.fields}
    assert (kinds["casualties"], kinds["sources"]) == (Kind.LINES, Kind.SOURCES)
    assert not {name for name in kinds if name.startswith(("casualties.", "sources."))}
