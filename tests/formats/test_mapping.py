"""A mapping is checked whole before the first row; dates and numbers are read as declared only."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.imports import Fault, Unusable
from service.domain.when import parse_zone
from service.errors import Invalid
from service.formats.imports.mapping import (
    Cells,
    Text,
    When,
    check_columns,
    describe,
    of_rows,
    of_wide,
    span_of,
)
from service.formats.imports.styles import count_of, date_pattern, number_style

LEAST: dict[str, Any] = {
    "key": "Id",
    "claimant": {"always": "residents"},
    "when": "Date",
    "where": {"place": "Village"},
}
WIDE: dict[str, Any] = {
    "rows": "periods",
    "claimant": {"always": "residents"},
    "unit": {"always": "shots"},
    "period": "Month",
    "sectors": {"North": "line-of-contact-north"},
}


def said(mapping: dict[str, Any]) -> str:
    with pytest.raises(Unusable) as caught:
        of_wide(mapping) if "rows" in mapping else of_rows(mapping)
    assert caught.value.fault is Fault.BAD_HEADER
    return str(caught.value)


def count(text: object, style: str = "1234.5") -> object:
    return count_of(text, "killed", number_style(style))


def when(cells: dict[str, object], **how: Any) -> str | None:
    mapped = When.model_validate({"column": "Date", **how})
    return mapped.read(Cells(cells.get), "when", "Asia/Yerevan")


class TestNumbers:
    @pytest.mark.parametrize(
        ("style", "text", "number"),
        [
            ("1234.5", "7", 7),
            ("1234.5", "0", 0),
            ("1234.5", "12.0", 12),
            ("1,234", "1,234", 1234),
            ("1,234", "1,234,567", 1_234_567),
            ("1,234", "1234", 1234),
            ("1.234,5", "1.234", 1234),
            ("1 234,5", "1 234", 1234),
            ("1 234,5", "1\u00a0234", 1234),
            ("1 234,5", "1\u202f234", 1234),
            ("1'234", "1'234", 1234),
        ],
    )
    def test_a_number_is_read_in_the_style_declared(
        self, style: str, text: str, number: int
    ) -> None:
        assert count(text, style) == number

    @pytest.mark.parametrize(
        "text",
        [
            "1_0",
            "３",
            " 7 ",
            "1,234",
            "12,5",
            "12.5",
            "1 234",
            "-5",
            "+5",
            "3-5",
            "½",
            "",
            "1.234.5",
        ],
    )
    def test_every_other_number_is_wrong(self, text: str) -> None:
        with pytest.raises(Invalid, match="must be a whole number"):
            count(text)

    @pytest.mark.parametrize("text", ["12,34", "1,23,456", "1.234", "1 234", ",234", "1,2345"])
    def test_a_declared_style_is_strict_about_its_groups(self, text: str) -> None:
        with pytest.raises(Invalid):
            count(text, "1,234")

    @pytest.mark.parametrize("style", ["1,234,5", "1.234.5", "12", "1234,", "one", "1|234", ""])
    def test_a_style_is_the_number_1234_or_1234_5(self, style: str) -> None:
        with pytest.raises(ValueError, match="must write 1234"):
            number_style(style)

    def test_numbers_of_json_need_no_style(self) -> None:
        assert count(1234, "1.234,5") == 1234
        assert count(5.0) == 5
        for wrong in (5.5, True, float("inf"), [5], {"low": 5}):
            with pytest.raises(Invalid):
                count(wrong)

    def test_nothing_is_not_zero(self) -> None:
        assert count(None) is None

    @given(st.text(max_size=12))
    def test_whatever_is_read_as_a_number_is_plain_digits(self, text: str) -> None:
        try:
            read = count(text)
        except Invalid:
            return
        if isinstance(read, int):
            assert text.isascii()
            assert float(text) == read
        else:
            assert read == {"words": text.strip(" \u00a0\u202f")}


class TestWords:
    @pytest.mark.parametrize("words", ["dozens", "at least 5", "about 20", "heavy losses"])
    def test_words_for_a_count_are_kept_as_words(self, words: str) -> None:
        assert count(words) == {"words": words}

    def test_a_number_within_words_is_read_in_the_style_too(self) -> None:
        told = {"low": 1234, "best": 1234, "words": "at least 1.234"}
        assert count("at least 1.234", "1.234,5") == told
        told = {"low": 1234, "best": 1234, "high": 1234, "words": "about 1 234"}
        assert count("about 1 234", "1 234") == told

    @pytest.mark.parametrize("words", ["at least 1,234", "about 12,5", "about ３", "some 1_0"])
    def test_one_in_another_style_is_wrong(self, words: str) -> None:
        with pytest.raises(Invalid, match="holds a number"):
            count(words)


class TestDates:
    @pytest.mark.parametrize(
        ("form", "text", "told"),
        [
            ("DD.MM.YYYY", "03.04.2020", "2020-04-03"),
            ("MM/DD/YYYY", "03/04/2020", "2020-03-04"),
            ("D/M/YYYY", "3/4/2020", "2020-04-03"),
            ("D MMMM YYYY", "3 April 2020", "2020-04-03"),
            ("MMM YYYY", "Apr 2020", "2020-04"),
            ("MMM YYYY", "APR. 2020", "2020-04"),
            ("MM/YYYY", "04/2020", "2020-04"),
            ("YYYY", "2020", "2020"),
            ("YYYYMMDD", "20200403", "2020-04-03"),
            ("DD.MM.YYYY HH:mm", "03.04.2020 07:30", "2020-04-03T07:30"),
            ("YYYY-MM-DDTHH:mm:ss", "2020-04-03T07:30:05", "2020-04-03T07:30:05"),
            ("DD.MM.YYYY H", "03.04.2020 7", "2020-04-03T07:00"),
        ],
    )
    def test_a_date_is_read_in_the_form_declared(self, form: str, text: str, told: str) -> None:
        assert when({"Date": text}, format=form) == told

    @pytest.mark.parametrize("text", ["3.4.2020", "03/04/2020", "2020-04-03", "32.01.2020", "x"])
    def test_a_date_in_another_form_is_wrong(self, text: str) -> None:
        with pytest.raises(Invalid):
            when({"Date": text}, format="DD.MM.YYYY")

    @pytest.mark.parametrize("text", ["03.04.2020", "04/03/2020", "April 2020", "20200403"])
    def test_an_undeclared_form_is_never_guessed(self, text: str) -> None:
        with pytest.raises(Invalid, match="declare how"):
            when({"Date": text})

    @pytest.mark.parametrize("text", ["2020-04-03", "2020-04", "2020~", "[..2020-04-03]"])
    def test_iso_and_edtf_need_no_declaration(self, text: str) -> None:
        assert when({"Date": text}) == text

    @pytest.mark.parametrize(
        "form",
        [
            "DD.MM.YY",
            "dd.mm.yyyy",
            "DD.YYYY",
            "DD.MM",
            "DMYYYY",
            "MM.MMM YYYY",
            "YYYY YYYY",
            "week",
        ],
    )
    def test_a_form_that_leaves_something_to_guess_is_refused(self, form: str) -> None:
        assert "when.format" in said({**LEAST, "when": {"column": "Date", "format": form}})

    def test_months_in_another_language_are_declared(self) -> None:
        months = [
            "янв",
            "фев",
            "мар",
            "апр",
            "май",
            "июн",
            "июл",
            "авг",
            "сен",
            "окт",
            "ноя",
            "дек",
        ]
        told = when({"Date": "3 апр. 2020"}, format="D MMM YYYY", months=months)
        assert told == "2020-04-03"
        with pytest.raises(Invalid):
            when({"Date": "3 Apr 2020"}, format="D MMM YYYY", months=months)

    def test_a_time_of_day_in_a_column_of_its_own(self) -> None:
        how = {"format": "DD.MM.YYYY", "time": "Time"}
        assert when({"Date": "03.04.2020", "Time": "21:40"}, **how) == "2020-04-03T21:40"
        assert when({"Date": "03.04.2020"}, **how) == "2020-04-03"
        with pytest.raises(Invalid, match="time of day"):
            when({"Date": "03.04.2020", "Time": "9 pm"}, **how)
        with pytest.raises(Invalid, match="without a date"):
            when({"Time": "21:40"}, **how)

    def test_a_last_day_says_whether_it_lasted_or_happened_within(self) -> None:
        cells: dict[str, object] = {"Date": "03.04.2020", "End": "05.04.2020"}
        how = {"format": "DD.MM.YYYY", "until": "End"}
        assert when(cells, **how, span="lasted") == "2020-04-03/2020-04-05"
        assert when(cells, **how, span="within") == "[2020-04-03..2020-04-05]"
        assert when({**cells, "End": ""}, **how, span="within") == "2020-04-03"
        with pytest.raises(Invalid, match="ends before"):
            when({**cells, "End": "01.04.2020"}, **how, span="lasted")
        assert "until and span together" in said({**LEAST, "when": {"column": "D", "until": "E"}})

    @given(st.dates().filter(lambda day: 1900 <= day.year <= 2100))
    def test_what_is_written_in_a_form_is_read_back(self, day: Any) -> None:
        assert date_pattern("DD.MM.YYYY").date(f"{day:%d.%m.}{day.year}") == day.isoformat()

    @pytest.mark.parametrize(
        ("text", "start", "end"),
        [
            ("2020-03", "2020-03-01T00:00+04:00", "2020-04-01T00:00+04:00"),
            ("2020-03-28", "2020-03-28T00:00+04:00", "2020-03-29T00:00+04:00"),
            ("2020", "2020-01-01T00:00+04:00", "2021-01-01T00:00+04:00"),
        ],
    )
    def test_a_period_begins_and_ends_in_its_time_zone(
        self, text: str, start: str, end: str
    ) -> None:
        assert span_of(text, parse_zone("Asia/Yerevan"), "period") == (start, end)

    def test_a_month_in_which_clocks_change_begins_and_ends_at_midnight(self) -> None:
        zone = parse_zone("Europe/Berlin")
        told = ("2020-03-01T00:00+01:00", "2020-04-01T00:00+02:00")
        assert span_of("2020-03", zone, "period") == told


class TestTexts:
    def read(self, cells: dict[str, object], **how: Any) -> str | None:
        return Text.model_validate(how).read(Cells(cells.get), "claimant")

    def test_a_bare_text_names_a_column_and_always_is_fixed(self) -> None:
        assert Text.model_validate("Source").read(Cells({"Source": "x"}.get), "f") == "x"
        assert self.read({}, always="residents") == "residents"

    def test_a_translation_is_used_and_other_texts_are_kept(self) -> None:
        values = {"MoD": "azerbaijan-mod", "unknown": ""}
        assert self.read({"S": " MoD "}, column="S", values=values) == "azerbaijan-mod"
        assert self.read({"S": "a shepherd"}, column="S", values=values) == "a shepherd"
        assert self.read({"S": "unknown"}, column="S", values=values) is None
        with pytest.raises(Invalid, match="no translation"):
            self.read({"S": "a shepherd"}, column="S", values=values, strict=True)

    def test_cells_are_joined_without_the_empty_ones(self) -> None:
        cells: dict[str, object] = {"A": "one", "B": "", "C": "two"}
        assert self.read(cells, join=["A", "B", "C"], between="; ") == "one; two"
        assert self.read({}, join=["A", "B"]) is None

    def test_what_says_nothing_is_declared(self) -> None:
        cells = Cells({"A": "n/a", "B": " ", "C": "-"}.get, frozenset({"n/a"}))
        assert (cells["A"], cells["B"], cells["C"]) == (None, None, "-")


class TestRefused:
    @pytest.mark.parametrize(
        ("changed", "path"),
        [
            ({"claimat": "Source"}, "claimat: is not a known field"),
            ({"key": []}, "key: has too few items"),
            ({"kind": "incident"}, "kind: must be"),
            ({"when": {"columm": "Date"}}, "when.columm: is not a known field"),
            ({"when": {"column": "D", "always": "2020"}}, "when: must give one of column"),
            ({"where": {"lat": "Lat"}}, "where: must give lat and lon together"),
            ({"where": {"lat": "a", "lon": "b", "representative": "exact"}}, "where: must give"),
            ({"numbers": "1,234,5"}, "numbers: must write 1234"),
            ({"timezone": "Baku"}, "timezone: is not a time zone"),
            ({"casualties": [{"party": "P"}]}, "casualties.0: must give one of killed"),
            ({"casualties": {"killed": {"high": "H"}}}, "casualties.0.killed: must give one of"),
            ({"weapons": {"column": "W", "values": {"x": 5}}}, "weapons.0.values: must be text"),
            ({"sources": [{"url": "Link"}]}, "sources.0.title: is required"),
            ({"claimant": 5}, "claimant: must be an object"),
        ],
    )
    def test_a_wrong_mapping_says_where(self, changed: dict[str, Any], path: str) -> None:
        assert path in said({**LEAST, **changed})

    @pytest.mark.parametrize(
        ("changed", "path"),
        [
            ({"rows": "months"}, "rows: "),
            ({"sectors": {}}, "must give period and sectors"),
            ({"period": {"always": "2020"}}, "period: must be a column"),
            ({"sectors": {"N": "north", "M": "north"}}, "must not give one sector to two columns"),
            ({"sector": "S"}, "must give period and sectors"),
            ({"coverage": {"observer": "O"}}, "coverage.means: is required"),
        ],
    )
    def test_so_does_a_wrong_one_of_a_wide_table(self, changed: dict[str, Any], path: str) -> None:
        assert path in said({**WIDE, **changed})

    def test_what_was_sent_is_not_repeated(self) -> None:
        secret = "Name Surname, 34"
        weapons = {"column": "W", "values": {secret: 5}}
        wrong = {secret: 1, "numbers": secret, "timezone": secret, "weapons": weapons}
        assert secret not in said({**LEAST, **wrong})
        with pytest.raises(Unusable) as caught:
            check_columns(of_rows({**LEAST, "claimant": secret}), ["Id", "Date", "Village"])
        assert secret not in str(caught.value)

    def test_no_mapping_at_all_is_said(self) -> None:
        with pytest.raises(Unusable, match="needs a mapping"):
            of_rows(None)

    def test_columns_that_the_file_has_not_are_all_named_at_once(self) -> None:
        mapping = of_rows({**LEAST, "claimant": "a-newspaper"})
        with pytest.raises(Unusable) as caught:
            check_columns(mapping, ["Id", "Village"])
        assert "claimant: names a column that the file has not" in str(caught.value)
        assert "when: names a column" in str(caught.value)
        assert "always" in str(caught.value)

    def test_a_column_may_be_declared_optional(self) -> None:
        check_columns(of_rows({**LEAST, "optional": ["Village"]}), ["Id", "Date"])

    @pytest.mark.parametrize(
        "span",
        [
            {},
            {"from": "A"},
            {"to": "B"},
            {"from": "A", "to": "B", "through": "C"},
            {"period": "P", "to": "B"},
        ],
    )
    def test_a_tally_has_one_way_to_say_its_span(self, span: dict[str, Any]) -> None:
        told = {"kind": "tally", "key": "Id", "unit": "Unit", "count": "Count", **span}
        assert "must give period, or from with either to or through" in said(told)


class TestDescribing:
    def test_every_column_is_described_and_those_left_out_are_empty(self) -> None:
        mapping = {
            **LEAST,
            "summary": {"join": ["Village", "Notes"]},
            "casualties": {"killed": {"low": "Min", "high": "Max"}},
        }
        columns = ["Id", "Date", "Village", "Notes", "Min", "Max", "Editor"]
        assert describe(mapping, columns) == [
            ("Id", "key"),
            ("Date", "when"),
            ("Village", "where.place, summary"),
            ("Notes", "summary"),
            ("Min", "casualties.0.killed"),
            ("Max", "casualties.0.killed"),
            ("Editor", ""),
        ]

    def test_the_columns_of_a_wide_table_are_counts(self) -> None:
        assert describe({**WIDE, "ignore": ["Total"]}, ["Month", "North", "Total"]) == [
            ("Month", "period"),
            ("North", "count of line-of-contact-north"),
            ("Total", ""),
        ]
