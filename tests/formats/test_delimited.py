"""Delimited text is read as declared, row by row, and refused where rows cannot be told apart."""

import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO, RawIOBase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.imports import Fault, Unusable
from service.errors import Invalid
from service.formats.imports.delimited import (
    Record,
    decimal_number,
    header,
    records,
    whole_number,
)
from service.formats.imports.entries import Reading

EXPECTED = ("id", "when", "killed")
NO_NUMBERS = (
    *("", "1_0", "３", "٣", "²", " 7 ", "7\n", "1,234", "1 234", "12,5", "12.5", "1.", "+1", "-1"),
    *("1e3", "0x1", "nan", "inf", "1" * 16),
)
WIDE = ",".join(f"c{n}" for n in range(10)) + "\n"
WIDE_ROW = ",".join("abcdefghij") + "\n"


def read(content: str | bytes, expected: tuple[str, ...] = EXPECTED, **how: Any) -> list[Record]:
    data = content.encode() if isinstance(content, str) else content
    return list(records(BytesIO(data), Reading(**how), expected))


def fault(content: str | bytes, expected: tuple[str, ...] = EXPECTED, **how: Any) -> Fault:
    with pytest.raises(Unusable) as caught:
        read(content, expected, **how)
    return caught.value.fault


def said(content: str | bytes, **how: Any) -> str:
    with pytest.raises(Unusable) as caught:
        read(content, **how)
    return caught.value.problems[0].message


class TestRows:
    def test_cells_stand_under_their_names_with_the_line_they_begin_on(self) -> None:
        assert read("id,when\n1,2020\n2,2021\n") == [
            Record(2, {"id": "1", "when": "2020"}),
            Record(3, {"id": "2", "when": "2021"}),
        ]

    def test_a_quoted_cell_may_hold_line_ends_and_lines_are_still_counted(self) -> None:
        rows = read('id,text\r\n1,"first\r\nsecond, with ""quotes"""\r\n2,x\r\n')
        assert [(row.line, row.cells["text"]) for row in rows] == [
            (2, 'first\r\nsecond, with "quotes"'),
            (4, "x"),
        ]

    def test_a_short_or_long_row_is_wrong_alone(self) -> None:
        rows = read("id,when,killed\n1,2020\n2,2020,3,4\n3,2020,5\n")
        assert [(row.line, row.error and row.error.problems[0].message) for row in rows] == [
            (2, "has fewer cells than the header"),
            (3, "has more cells than the header"),
            (4, None),
        ]
        assert [row.cells for row in rows[:2]] == [
            {"id": "1", "when": "2020"},
            {"id": "2", "when": "2020", "killed": "3", "+1": "4"},
        ]

    def test_a_row_with_a_character_that_is_no_text_is_wrong_alone(self) -> None:
        rows = read("id,when\n1,20\x0020\n2,2020\n")
        assert [str(row.error) for row in rows] == ["holds characters that are not text", "None"]

    def test_empty_lines_and_rows_of_empty_cells_are_no_rows(self) -> None:
        assert [row.line for row in read("id,when\n\n1,2020\n,\n\n2,2021\n\n")] == [3, 6]

    def test_the_last_line_needs_no_end(self) -> None:
        assert [row.cells["id"] for row in read("id,when\n1,2020")] == ["1"]

    def test_cells_keep_their_spaces_and_names_lose_theirs(self) -> None:
        assert read("id , when\n 7 ,x\n")[0].cells == {"id": " 7 ", "when": "x"}

    def test_a_row_of_hxl_tags_below_the_header_is_skipped(self) -> None:
        rows = read("id,when,killed\n#event+code,,#affected+killed\n1,2020,#3\n")
        assert [(row.line, row.cells["killed"]) for row in rows] == [(3, "#3")]

    def test_only_the_first_row_can_be_tags(self) -> None:
        assert len(read("id,when\n1,2020\n#2,#3\n")) == 2


class TestEncoding:
    """E1: declared or refused, never guessed."""

    def test_utf_8_may_begin_with_its_mark(self) -> None:
        assert header(BytesIO(b"\xef\xbb\xbfid,when\n"), Reading()) == ("id", "when")

    @pytest.mark.parametrize("encoding", ["cp1251", "utf-16", "utf-16-le", "iso8859-5"])
    def test_another_encoding_is_read_where_it_is_declared(self, encoding: str) -> None:
        content = "id,text\n1,Шуши\n".encode(encoding)
        assert read(content, encoding=encoding)[0].cells["text"] == "Шуши"
        assert fault(content) is Fault.BAD_ENCODING

    @pytest.mark.parametrize("mark", ["utf-16", "utf-32", "utf-8-sig"])
    def test_a_mark_that_contradicts_the_declaration_is_refused(self, mark: str) -> None:
        assert fault("id,when\n1,2\n".encode(mark), encoding="cp1252") is Fault.BAD_ENCODING

    def test_utf_16_without_a_mark_is_not_taken_for_utf_8(self) -> None:
        assert fault("id,when\n1,2\n".encode("utf-16-le")) is Fault.BAD_ENCODING

    def test_a_bad_byte_far_down_makes_the_file_unusable(self) -> None:
        assert fault(b"id,when\n" + b"1,2020\n" * 50_000 + b"2,\xff\n") is Fault.BAD_ENCODING

    @pytest.mark.parametrize("encoding", ["klingon", "hex", "rot13", ""])
    def test_an_encoding_that_is_none_is_refused(self, encoding: str) -> None:
        assert fault("id,when\n", encoding=encoding) is Fault.BAD_ENCODING


class TestHeader:
    @pytest.mark.parametrize(
        "content", ["", "\n", "id,when,id\n", "id, id\n", "id,,when\n", "id,when,\n", ",,\n"]
    )
    def test_it_must_name_every_column_once(self, content: str) -> None:
        assert fault(content) is Fault.BAD_HEADER

    def test_columns_are_given_in_the_order_of_the_file(self) -> None:
        assert header(BytesIO(b"when,id\n1,2\n"), Reading()) == ("when", "id")

    def test_it_reads_from_the_start_each_time_and_leaves_the_file_open(self) -> None:
        file = BytesIO(b"id,when\n1,2\n")
        header(file, Reading())
        assert len(list(records(file, Reading()))) == 1
        assert header(file, Reading()) == ("id", "when")


class TestDelimiter:
    """E2: the declared one; where another one makes the expected names, that is said."""

    @pytest.mark.parametrize(
        ("delimiter", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")]
    )
    @pytest.mark.parametrize("quote", ["", '"'])
    def test_the_one_to_declare_is_named(self, delimiter: str, word: str, quote: str) -> None:
        content = "\n".join(
            delimiter.join(f"{quote}{cell}{quote}" for cell in row)
            for row in (("id", "when", "killed"), ("1", "2020", "3"))
        )
        assert word in said(content)
        assert fault(content) is Fault.BAD_HEADER
        assert read(content, delimiter=delimiter)[0].cells["killed"] == "3"

    def test_a_table_of_one_column_is_one(self) -> None:
        assert read("a;b\n1;2\n") == [Record(2, {"a;b": "1;2"})]

    @pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n"])
    def test_it_is_one_character(self, delimiter: str) -> None:
        assert fault("id,when\n", delimiter=delimiter) is Fault.BAD_HEADER


class TestQuotes:
    """E4: a file whose rows cannot be told apart is refused, not read as fewer rows."""

    def test_one_that_is_never_closed(self) -> None:
        rows = "".join(f"{n},2020,1\n" for n in range(500))
        assert fault(f'id,when,killed\n1,"2020,1\n{rows}') is Fault.SUSPICIOUS_ROWCOUNT

    def test_one_that_is_closed_in_front_of_text(self) -> None:
        assert fault('id,when\n1,"2020\n2,"x"\n') is Fault.SUSPICIOUS_ROWCOUNT
        assert fault('id,when\n1,"20"20\n') is Fault.SUSPICIOUS_ROWCOUNT

    @pytest.mark.parametrize("swallowed", [9, 10, 400])
    def test_two_stray_ones_that_swallow_rows_of_a_narrow_table(self, swallowed: int) -> None:
        rows = "".join(f"{n},2020,1\n" for n in range(swallowed))
        content = f'id,when,killed\n1,"2020,1\n{rows}9,2020",1\n'
        assert fault(content) is Fault.SUSPICIOUS_ROWCOUNT

    def test_two_stray_ones_that_swallow_one_row_of_a_wide_table(self) -> None:
        first = WIDE_ROW.replace("b", '"b')
        last = WIDE_ROW.replace("b", 'b"')
        assert fault(WIDE + first + last) is Fault.SUSPICIOUS_ROWCOUNT
        assert fault(WIDE + first + WIDE_ROW + last) is Fault.SUSPICIOUS_ROWCOUNT

    def test_text_of_several_lines_with_commas_is_text(self) -> None:
        poem = "roses, red\n" * 9
        assert read(f'id,text\n1,"{poem}"\n')[0].cells["text"] == poem
        article = "one, two, three\n" * 50
        assert read(WIDE + WIDE_ROW.replace("d", f'"{article}"'))[0].cells["c3"] == article

    def test_many_good_rows_are_never_suspicious(self) -> None:
        assert len(read(WIDE + WIDE_ROW * 1000)) == 1000


class Endless(RawIOBase):
    """A file of one line that does not end, made as it is read; `begins` stands before it."""

    def __init__(self, begins: bytes, filler: bytes) -> None:
        self.begins = begins
        self.filler = filler
        self.taken = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        assert (offset, whence) == (0, 0)
        self.taken = 0
        return 0

    def read(self, size: int = -1, /) -> bytes:
        assert 0 < size <= 1024 * 1024
        start = self.taken
        self.taken += size
        head = self.begins[start : start + size]
        fill = self.filler * (size // len(self.filler) + 1)
        return head + fill[: size - len(head)]

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)


class TestLength:
    """E5: what has no end is given up at the bound."""

    @pytest.mark.parametrize("begins", [b"", b"id,when\n", b"id,when\n1,2020\n2,", b'id,when\n1,"'])
    def test_a_line_without_an_end_is_given_up_early(self, begins: bytes) -> None:
        file = Endless(begins, b"x")
        tracemalloc.start()
        with pytest.raises(Unusable) as caught:
            list(records(file, Reading()))  # type: ignore[arg-type]
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert caught.value.fault is Fault.LINE_TOO_LONG
        assert file.taken < 2 * 1024 * 1024
        assert peak < 16 * 1024 * 1024

    @pytest.mark.parametrize("filler", [b"text\n", b'text"\n,"'])
    def test_so_is_a_record_whose_lines_do_not_end(self, filler: bytes) -> None:
        file = Endless(b'id,when\n1,"', filler)
        with pytest.raises(Unusable) as caught:
            list(records(file, Reading()))  # type: ignore[arg-type]
        assert caught.value.fault in {Fault.LINE_TOO_LONG, Fault.SUSPICIOUS_ROWCOUNT}
        assert file.taken < 4 * 1024 * 1024

    def test_the_bound_is_in_bytes(self) -> None:
        assert read("id,when\n1,яяяя\n", longest_line=20)
        assert fault("id,when\n1,яяяяяяяяяя\n", longest_line=20) is Fault.LINE_TOO_LONG

    def test_a_field_of_several_lines_is_bounded_too(self) -> None:
        assert fault('id,when\n1,"ab\ncd\nef\ngh\nij"\n', longest_line=16) is Fault.LINE_TOO_LONG

    def test_rows_of_a_long_file_are_not_gathered(self) -> None:
        def lines() -> Iterator[bytes]:
            yield b"id,when\n"
            yield from (b"1,2020\n" for _ in range(100_000))

        file = BytesIO(b"".join(lines()))
        tracemalloc.start()
        count = sum(1 for _ in records(file, Reading()))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == 100_000
        assert peak < 1024 * 1024


class TestNumbers:
    """E6: a number is written in one way."""

    @pytest.mark.parametrize(
        ("text", "number"), [("0", 0), ("7", 7), ("007", 7), ("300380.0", 300380), ("5.000", 5)]
    )
    def test_whole_numbers(self, text: str, number: int) -> None:
        assert whole_number(text) == number

    @pytest.mark.parametrize("text", NO_NUMBERS)
    def test_nothing_else_is_one(self, text: str) -> None:
        with pytest.raises(Invalid) as caught:
            whole_number(text, "killed")
        assert [(p.field, p.message) for p in caught.value.problems] == [
            ("killed", "must be a whole number")
        ]

    def test_decimal_numbers(self) -> None:
        assert [decimal_number(text) for text in ("-12.5", "+3", "48.140000")] == [-12.5, 3, 48.14]

    @pytest.mark.parametrize("text", ["", "12,5", " 1", "1e3", "nan", "inf", ".5", "1.", "٣.٣"])
    def test_nothing_else_is_a_decimal_number(self, text: str) -> None:
        with pytest.raises(Invalid):
            decimal_number(text)


@given(st.binary(max_size=400), st.sampled_from(["utf-8", "utf-16", "cp1251", "utf-16-be"]))
def test_whatever_comes_is_read_or_refused(content: bytes, encoding: str) -> None:
    with suppress(Unusable):
        assert all(row.line >= 2 for row in read(content, encoding=encoding))


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=9)


@given(st.lists(st.tuples(cells, cells), max_size=8))
def test_what_is_written_by_the_book_is_read_as_it_was(rows: list[tuple[str, str]]) -> None:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    content = "id,when\r\n" + "".join(f"{quoted(a)},{quoted(b)}\r\n" for a, b in rows)
    tags = rows and any(rows[0]) and all(cell.startswith("#") for cell in rows[0] if cell)
    kept = [row for row in (rows[1:] if tags else rows) if any(row)]
    if content.count(",") < 10:
        assert [(r.cells["id"], r.cells["when"]) for r in read(content)] == kept
