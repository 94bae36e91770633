"""What becomes of UCDP's events. Rows are made after GED 23.1 (UCDP, CC BY 4.0), shortened."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from io import BytesIO
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.domain.casualties import combine
from service.domain.figures import Figure
from service.domain.imports import Fault, Unusable
from service.domain.vocabulary import Outcome
from service.domain.when import parse_when
from service.errors import Invalid
from service.formats.imports import ucdp
from service.formats.imports.entries import Entry, Reading
from service.formats.imports.registry import FORMATS, format_named
from service.formats.imports.ucdp import UcdpApi, UcdpGed, next_url
from service.formats.reports import ReportIn
from service.formats.validation import parse
from tests.valley import csv_of

HEADER = (
    "id,relid,year,active_year,code_status,type_of_violence,conflict_dset_id,conflict_new_id,"
    "conflict_name,dyad_dset_id,dyad_new_id,dyad_name,side_a_dset_id,side_a_new_id,side_a,"
    "side_b_dset_id,side_b_new_id,side_b,number_of_sources,source_article,source_office,"
    "source_date,source_headline,source_original,where_prec,where_coordinates,where_description,"
    "adm_1,adm_2,latitude,longitude,geom_wkt,priogrid_gid,country,country_id,region,"
    "event_clarity,date_prec,date_start,date_end,deaths_a,deaths_b,deaths_civilians,"
    "deaths_unknown,best,high,low,gwnoa,gwnob"
)
COLUMNS = HEADER.split(",")
USUAL = dict.fromkeys(COLUMNS, "") | {
    "id": "149866",
    "relid": "UKR-2014-1-14124-1",
    "year": "2014",
    "code_status": "Clear",
    "type_of_violence": "1",
    "conflict_name": "Ukraine: Donetsk",
    "dyad_name": "Government of Ukraine - DPR",
    "side_a": "Government of Ukraine",
    "side_b": "DPR",
    "number_of_sources": "1",
    "source_article": '"Reuters News,2014-04-12,Clashes in the east"',
    "source_office": "Reuters News",
    "source_date": "2014-04-12",
    "source_headline": "Clashes in the east",
    "where_prec": "1",
    "where_coordinates": "Sloviansk town",
    "where_description": "near Sloviansk",
    "adm_1": "Donetsk oblast",
    "adm_2": "Sloviansk raion",
    "latitude": "48.853300",
    "longitude": "37.625000",
    "country": "Ukraine",
    "region": "Europe",
    "event_clarity": "1",
    "date_prec": "1",
    "date_start": "2014-04-12",
    "date_end": "2014-04-12",
    "deaths_a": "1",
    "deaths_b": "2",
    "deaths_civilians": "0",
    "deaths_unknown": "0",
    "best": "3",
    "high": "5",
    "low": "2",
}


def table(*rows: Mapping[str, str], columns: Sequence[str] = COLUMNS) -> BytesIO:
    return BytesIO(csv_of(rows, columns))


def entries(*rows: Mapping[str, str], columns: Sequence[str] = COLUMNS) -> list[Entry]:
    return list(UcdpGed().read(table(*rows, columns=columns), Reading()))


def entry(**changes: Any) -> Entry:
    (only,) = entries(USUAL | {name: str(value) for name, value in changes.items()})
    return only


def value(**changes: Any) -> dict[str, Any]:
    read = entry(**changes)
    assert read.error is None
    assert read.value is not None
    return read.value


def problem(**changes: Any) -> str:
    error = entry(**changes).error
    assert error is not None
    return str(error)


def fault_of(file: BytesIO) -> Unusable:
    with pytest.raises(Unusable) as caught:
        list(UcdpGed().read(file, Reading()))
    return caught.value


def killed(read: Mapping[str, Any]) -> Figure:
    """What all lines of the report say together."""
    lines = [line.line for line in parse(ReportIn, read).to_draft().casualties]
    cells = {line.cell: line.figures[Outcome.KILLED] for line in lines}
    assert len(cells) == len(lines)
    combined = combine(cells)
    assert combined is not None
    assert not combined.inconsistent
    return combined.figure


class TestARow:
    def test_becomes_one_report(self) -> None:
        read = entry()
        assert read.value == {
            "when": "2014-04-12",
            "where": {
                "lat": 48.8533,
                "lon": 37.625,
                "precision": "exact",
                "as_written": "Sloviansk town; near Sloviansk",
            },
            "casualties": [
                {"killed": {"low": 2, "best": 3, "high": 5}},
                {
                    "party": "Government of Ukraine",
                    "group": "military",
                    "killed": {"low": 0, "best": 1, "high": 1},
                },
                {"party": "DPR", "group": "military", "killed": {"low": 1, "best": 2, "high": 2}},
            ],
            "claimant": "ucdp",
            "summary": (
                "State-based violence: Government of Ukraine - DPR. Conflict: Ukraine: Donetsk."
            ),
            "sources": [
                {
                    "title": "Clashes in the east",
                    "publisher": "Reuters News",
                    "published": "2014-04-12",
                }
            ],
        }
        assert (read.line, read.key, read.remarks) == (2, "149866", ())
        assert read.areas == ("Sloviansk raion", "Donetsk oblast", "Ukraine")
        assert read.original == USUAL

    def test_keeps_the_codes_that_no_field_holds_as_they_stood(self) -> None:
        kept = entry(id="149866.0", date_prec="1.0", number_of_sources=-1).kept
        assert kept["date_prec"] == "1.0"
        assert (kept["event_clarity"], kept["deaths_unknown"]) == ("1", "0")
        assert kept["relid"] == "UKR-2014-1-14124-1"
        assert "number_of_sources" not in kept
        assert "conflict_new_id" not in kept

    def test_the_declared_claimant_speaks(self) -> None:
        (read,) = UcdpGed().read(table(USUAL), Reading(claimant="a-monitor"))
        assert read.value is not None
        assert read.value["claimant"] == "a-monitor"

    def test_ids_may_be_written_as_floats(self) -> None:
        floats = {name: f"{int(cell)}.0" for name, cell in USUAL.items() if cell.isdigit() and cell}
        (read,) = entries(USUAL | floats)
        assert (read.key, read.value) == ("149866", entry().value)

    @pytest.mark.parametrize(
        ("column", "cell", "message"),
        [
            ("id", "", "id: must be a whole number"),
            ("id", "1_0", "id: must be a whole number"),
            ("best", "３", "best: must be a whole number"),
            ("low", " 7 ", "low: must be a whole number"),
            ("high", "1,234", "high: must be a whole number"),
            ("deaths_a", "12,5", "deaths_a: must be a whole number"),
            ("deaths_b", "-1", "deaths_b: must be a whole number"),
            ("deaths_unknown", "", "deaths_unknown: must be a whole number"),
            ("latitude", "nan", "latitude: must be a plain number"),
            ("longitude", "", "longitude: must be a plain number"),
            ("latitude", "90.01", "latitude: must be between -90 and 90"),
            ("longitude", "-180.5", "longitude: must be between -180 and 180"),
            ("where_prec", "8", "where_prec: is not a code of the codebook"),
            ("date_prec", "0", "date_prec: is not a code of the codebook"),
            ("type_of_violence", "4", "type_of_violence: is not a code of the codebook"),
            ("date_start", "12.04.2014", "date_start: is not a date such as 2014-02-20"),
            ("date_start", "2014-02-30", "date_start: is not a date of the calendar"),
            ("date_end", "2014-04-11", "date_end: lies before date_start"),
        ],
    )
    def test_what_cannot_be_read_is_wrong_in_that_row_alone(
        self, column: str, cell: str, message: str
    ) -> None:
        first, second = entries(USUAL | {column: cell}, USUAL)
        assert str(first.error) == message
        assert first.value is None
        assert first.original[column] == cell
        assert second.error is None

    def test_every_text_fits_a_report(self) -> None:
        read = entry(
            side_a="Ä" * 300,
            where_description="in\nthe\tmiddle \u200bof " + "nowhere " * 100,
            source_headline="line\r\nend",
            dyad_name="x" * 1000,
        )
        assert read.value is not None
        draft = parse(ReportIn, read.value).to_draft()
        assert draft.where.as_written is not None
        assert len(draft.where.as_written) == 500
        assert draft.where.as_written.startswith("Sloviansk town; in the middle of nowhere")
        assert draft.sources[0].title == "line end"
        assert read.remarks == (
            "a text was cut to the length that is taken",
            "invisible characters in a text were left out",
        )


class TestWhen:
    def test_an_exact_day(self) -> None:
        assert value()["when"] == "2014-04-12"

    @pytest.mark.parametrize("midnight", [" 00:00:00.000", "T00:00:00", " 00:00:00"])
    def test_days_may_be_written_as_their_midnight(self, midnight: str) -> None:
        day = f"2014-04-12{midnight}"
        assert value(date_start=day, date_end=day)["when"] == "2014-04-12"

    def test_exact_days_that_differ_are_how_long_it_lasted(self) -> None:
        for clarity in (1, 2):
            read = value(date_end="2014-04-14", event_clarity=clarity)
            assert read["when"] == "2014-04-12/2014-04-14"

    @pytest.mark.parametrize("precision", [2, 3, 4, 5])
    def test_imprecise_days_are_the_span_it_lies_in(self, precision: int) -> None:
        read = entry(date_end="2014-04-30", date_prec=precision)
        assert read.value is not None
        assert read.value["when"] == "[2014-04-12..2014-04-30]"
        assert read.remarks == ()

    @pytest.mark.parametrize(
        ("precision", "when"),
        [
            (2, "[2014-04-07..2014-04-17]"),
            (3, "[2014-04-06..2014-04-18]"),
            (4, "[2014-03-13..2014-05-12]"),
            (5, "[2014-01-01..2014-12-31]"),
        ],
    )
    def test_one_day_for_an_imprecise_date_is_widened(self, precision: int, when: str) -> None:
        read = entry(date_prec=precision)
        assert read.value is not None
        assert read.value["when"] == when
        assert read.remarks == (ucdp.WIDENED,)
        parse_when(when, UTC)


class TestWhere:
    @pytest.mark.parametrize(
        ("code", "precision", "areas"),
        [
            (1, "exact", ("Sloviansk raion", "Donetsk oblast", "Ukraine")),
            (2, "settlement", ("Sloviansk raion", "Donetsk oblast", "Ukraine")),
            (3, "district", ("Sloviansk raion", "Donetsk oblast", "Ukraine")),
            (4, "sector", ("Donetsk oblast", "Ukraine")),
            (5, "sector", ("Donetsk oblast", "Ukraine")),
            (6, "theatre", ("Ukraine",)),
            (7, "theatre", ("Ukraine",)),
        ],
    )
    def test_is_as_precise_as_its_code(
        self, code: int, precision: str, areas: tuple[str, ...]
    ) -> None:
        read = entry(where_prec=code)
        assert read.value is not None
        assert read.value["where"]["precision"] == precision
        assert read.areas == areas

    def test_an_area_that_is_not_given_is_left_out(self) -> None:
        assert entry(where_prec=5, adm_1="", adm_2="").areas == ("Ukraine",)

    def test_the_same_words_are_not_repeated(self) -> None:
        assert value(where_description="Sloviansk town")["where"]["as_written"] == "Sloviansk town"
        assert value(where_coordinates="")["where"]["as_written"] == "near Sloviansk"
        assert "as_written" not in value(where_coordinates="", where_description="")["where"]


class TestTheDead:
    def test_an_exact_count_is_a_number(self) -> None:
        assert value(deaths_b=0, best=1, low=1, high=1)["casualties"] == [
            {"killed": 1},
            {"party": "Government of Ukraine", "group": "military", "killed": 1},
        ]

    def test_zero_is_a_figure(self) -> None:
        read = value(deaths_a=0, deaths_b=0, best=0, low=0, high=4)
        assert read["casualties"] == [{"killed": {"low": 0, "best": 0, "high": 4}}]

    def test_who_is_unknown_is_in_the_whole_only(self) -> None:
        read = value(deaths_a=0, deaths_b=0, deaths_unknown=3)
        assert read["casualties"] == [{"killed": {"low": 2, "best": 3, "high": 5}}]

    def test_all_of_one_part_have_the_range_of_the_whole(self) -> None:
        read = value(deaths_a=0, deaths_b=0, deaths_civilians=3)
        assert read["casualties"][1:] == [
            {"group": "civilian", "killed": {"low": 2, "best": 3, "high": 5}}
        ]

    def test_one_sided_violence_names_who_did_it_and_no_party_of_the_dead(self) -> None:
        read = value(
            type_of_violence=3, side_b="Civilians", deaths_a=0, deaths_b=0, deaths_civilians=3
        )
        assert read["attributed_to"] == "Government of Ukraine"
        assert [line.get("party") for line in read["casualties"]] == [None, None]
        assert "attributed_to" not in value()

    def test_sides_of_non_state_violence_need_not_be_under_arms(self) -> None:
        # Odessa on 2 May 2014: crowds on both sides.
        read = value(type_of_violence=2, side_a="Opponents", side_b="Supporters")
        assert read["casualties"][1:] == [
            {"party": "Opponents", "killed": {"low": 0, "best": 1, "high": 1}},
            {"party": "Supporters", "killed": {"low": 1, "best": 2, "high": 2}},
        ]
        assert killed(read) == Figure(2, 3, 5)

    def test_sides_of_one_name_are_one_line(self) -> None:
        read = value(side_b="Government of Ukraine")
        assert [line["killed"]["best"] for line in read["casualties"]] == [3, 3]

    @pytest.mark.parametrize(
        ("low", "best", "high", "taken"),
        [(9, 2, 9, (2, 2, 9)), (7, 7, 6, (6, 7, 7)), (35, 228, 35, (35, 228, 228))],
    )
    def test_bounds_out_of_order_are_accounted_for(
        self, low: int, best: int, high: int, taken: tuple[int, int, int]
    ) -> None:
        read = entry(deaths_a=0, deaths_b=best, low=low, best=best, high=high)
        assert read.remarks == (ucdp.OUT_OF_ORDER,)
        assert read.value is not None
        assert (
            read.value["casualties"][0]["killed"]["words"] == f"low {low}, best {best}, high {high}"
        )
        assert killed(read.value) == Figure(*taken)

    def test_parts_that_fall_short_are_counted_and_the_whole_leads(self) -> None:
        read = entry(deaths_a=1, deaths_b=1, best=9, low=8, high=9)
        assert read.remarks == (ucdp.PARTS_DIFFER,)
        assert read.value is not None
        assert len(read.value["casualties"]) == 3
        assert killed(read.value) == Figure(8, 9, 9)

    def test_parts_that_exceed_the_whole_are_kept_and_not_counted(self) -> None:
        read = entry(deaths_a=4, deaths_b=1, best=3)
        assert read.remarks == (ucdp.PARTS_EXCEED,)
        assert read.value is not None
        assert len(read.value["casualties"]) == 1
        assert read.kept["deaths_a"] == "4"

    @given(
        parts=st.tuples(*[st.integers(0, 30)] * 4),
        short=st.integers(0, 100),
        more=st.integers(0, 100),
        kind=st.sampled_from([1, 2, 3]),
    )
    def test_the_lines_together_say_exactly_what_the_row_says(
        self, parts: tuple[int, int, int, int], short: int, more: int, kind: int
    ) -> None:
        best = sum(parts)
        low, high = max(0, best - short), best + more
        read = value(
            type_of_violence=kind,
            **dict(
                zip(
                    ("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown"),
                    parts,
                    strict=True,
                )
            ),
            low=low,
            best=best,
            high=high,
        )
        assert killed(read) == Figure(low, best, high)

    @given(
        counts=st.lists(st.integers(0, 30), min_size=7, max_size=7),
        kind=st.sampled_from([1, 2, 3]),
    )
    def test_so_they_do_where_the_row_contradicts_itself(
        self, counts: list[int], kind: int
    ) -> None:
        names = (
            *("low", "best", "high"),
            *("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown"),
        )
        low, best, high, *parts = counts
        assume(sum(parts) != best or not low <= best <= high)
        read = entry(type_of_violence=kind, **dict(zip(names, counts, strict=True)))
        assert read.remarks
        assert read.value is not None
        assert killed(read.value) == Figure(min(low, best, high), best, max(low, best, high))


class TestSources:
    def test_there_is_one_for_each_office_date_and_headline(self) -> None:
        read = value(
            source_office="Reuters;AFP",
            source_date="2014-04-12; 2014-04-13",
            source_headline="One;-",
        )
        assert read["sources"] == [
            {"title": "One", "publisher": "Reuters", "published": "2014-04-12"},
            {"title": "-", "publisher": "AFP", "published": "2014-04-13"},
        ]

    def test_an_office_stands_for_a_headline_that_is_missing(self) -> None:
        assert value(source_headline="")["sources"][0]["title"] == "Reuters News"

    def test_columns_that_do_not_match_are_kept_as_one_text(self) -> None:
        read = entry(source_headline="Clashes; two dead", source_article="Reuters,\nClashes")
        assert read.value is not None
        assert read.value["sources"] == [{"title": "Reuters, Clashes"}]
        assert read.remarks == (ucdp.SOURCES_JOINED,)

    def test_older_rows_have_only_that_text(self) -> None:
        read = entry(source_office="", source_date="", source_headline="", number_of_sources=-1)
        assert read.value is not None
        assert read.value["sources"] == [{"title": USUAL["source_article"]}]
        assert read.remarks == ()

    @pytest.mark.parametrize(
        "day", ["1753-01-01", "2014-01-12", "soon", "2014-13-01", "9999-01-01"]
    )
    def test_a_date_that_cannot_be_true_is_left_out(self, day: str) -> None:
        read = entry(source_date=day)
        assert read.value is not None
        assert "published" not in read.value["sources"][0]
        assert read.remarks == (ucdp.SOURCE_DATE,)

    def test_no_more_are_taken_than_a_report_may_have(self) -> None:
        read = entry(
            source_office=";".join("A" * 60),
            source_date=";".join(["2014-04-12"] * 60),
            source_headline=";".join("B" * 60),
        )
        assert read.value is not None
        assert len(read.value["sources"]) == 50
        assert read.remarks == (ucdp.SOURCES_CUT,)


class TestColumns:
    def test_any_order_and_others_beside_them(self) -> None:
        columns = [*reversed(COLUMNS), "iso3", "start_year"]
        (read,) = entries(USUAL, columns=columns)
        assert read.value == entry().value
        used = UcdpGed().columns(table(USUAL, columns=columns), Reading())
        assert {"id", "best", "adm_1", "source_headline"} < {*used} < {*COLUMNS}

    def test_a_row_of_hxl_tags_is_no_event(self) -> None:
        tags = dict.fromkeys(COLUMNS, "") | {"year": "#date+year", "best": "#affected+killed"}
        assert [read.line for read in entries(tags, USUAL)] == [3]

    def test_line_ends_in_a_cell_leave_the_row_whole(self) -> None:
        first, second = entries(USUAL | {"source_original": "one\ntwo\r\nthree\n"}, USUAL)
        assert (first.line, second.line) == (2, 6)
        assert first.kept["source_original"] == "one\ntwo\r\nthree\n"

    @pytest.mark.parametrize("name", ["{}_est", "deaths_{}"])
    def test_other_names_of_the_estimates(self, name: str) -> None:
        renamed = {column: name.format(column) for column in ("low", "best", "high")}
        columns = [renamed.get(column, column) for column in COLUMNS]
        row = {renamed.get(column, column): cell for column, cell in USUAL.items()}
        (read,) = entries(row, columns=columns)
        assert read.value == entry().value

    @pytest.mark.parametrize("missing", ["id", "best", "date_prec", "where_prec", "deaths_b"])
    def test_a_missing_column_is_named(self, missing: str) -> None:
        error = fault_of(table(USUAL, columns=[name for name in COLUMNS if name != missing]))
        assert error.fault is Fault.BAD_HEADER
        assert str(error) == f"file: lacks the column {missing}"

    def test_half_the_columns_are_no_file_of_ours(self) -> None:
        assert fault_of(table(USUAL, columns=COLUMNS[:24])).fault is Fault.BAD_HEADER

    def test_another_delimiter_is_named(self) -> None:
        error = fault_of(BytesIO(table(USUAL).getvalue().replace(b",", b";")))
        assert error.fault is Fault.BAD_HEADER
        assert "semicolons" in str(error)

    def test_an_extract_without_precision_is_read_with_care(self) -> None:
        # As in the sample that the R package ladata gives out of GED 21.1.
        row = {
            "id": "190519",
            "year": "1990",
            "month": "3",
            "day": "24",
            "country": "Russia (Soviet Union)",
            "type_of_violence": "Non-state violence",
            "conflict_name": "Armenian - Azeri",
            "side_a": "Armenian",
            "side_b": "Azeri",
            "latitude": "41.0925",
            "longitude": "45.3656",
            "low_death": "9",
            "best_death": "9",
            "high_death": "9",
        }
        (read,) = entries(row, columns=[*row])
        assert read.value == {
            "when": "1990-03-24",
            "where": {"lat": 41.0925, "lon": 45.3656, "precision": "district"},
            "casualties": [{"killed": 9}],
            "claimant": "ucdp",
            "summary": "Non-state violence: Armenian - Azeri.",
        }
        assert read.remarks == (ucdp.DAY_ASSUMED, ucdp.PLACE_ASSUMED)
        assert read.areas == ("Russia (Soviet Union)",)
        parse(ReportIn, read.value)


def page(*rows: Mapping[str, Any], total: int | None = None, **others: Any) -> bytes:
    content = {
        "TotalCount": len(rows) if total is None else total,
        "TotalPages": 1,
        "PreviousPageUrl": "",
        "NextPageUrl": "",
        "Result": rows,
    }
    return json.dumps(content | others).encode()


def sequence(*pages: bytes) -> BytesIO:
    return BytesIO(b"".join(b"\x1e" + one + b"\n" for one in pages))


def api(file: BytesIO) -> list[Entry]:
    return list(UcdpApi().read(file, Reading()))


def refused(file: BytesIO) -> Fault:
    with pytest.raises(Unusable) as caught:
        api(file)
    return caught.value.fault


NUMBERS: dict[str, Any] = {
    name: int(cell) if cell.isdigit() else float(cell) if "tude" in name else cell or None
    for name, cell in USUAL.items()
}


class TestPages:
    def test_a_row_is_the_same_as_in_the_table(self) -> None:
        row = NUMBERS | {"date_start": "2014-04-12T00:00:00", "date_end": "2014-04-12T00:00:00"}
        (read,) = api(sequence(page(row)))
        assert (read.key, read.value, read.line) == ("149866", entry().value, 1)

    def test_pages_are_read_one_behind_the_other(self) -> None:
        rows = [NUMBERS | {"id": n} for n in range(5)]
        file = sequence(page(*rows[:2], total=5), page(*rows[2:4], total=5), page(rows[4], total=5))
        assert [(read.line, read.key) for read in api(file)] == [(n + 1, str(n)) for n in range(5)]
        assert UcdpApi().columns(file, Reading()) == UcdpGed().columns(table(USUAL), Reading())

    def test_one_page_needs_no_separator(self) -> None:
        assert len(api(BytesIO(page(NUMBERS)))) == 1

    def test_a_page_may_be_written_over_several_lines(self) -> None:
        pretty = json.dumps(json.loads(page(NUMBERS)), indent=2).encode()
        assert len(api(sequence(pretty))) == 1

    def test_no_rows_are_no_entries(self) -> None:
        assert api(sequence(page())) == []

    def test_rows_must_be_as_many_as_the_pages_say(self) -> None:
        assert refused(sequence(page(NUMBERS, total=2))) is Fault.TRUNCATED
        assert refused(sequence(page(NUMBERS, total=0))) is Fault.TRUNCATED

    def test_a_total_that_changes_on_the_way_is_another_edition(self) -> None:
        file = sequence(page(NUMBERS, total=2), page(NUMBERS, NUMBERS, total=3))
        assert refused(file) is Fault.TRUNCATED

    def test_a_page_that_breaks_off(self) -> None:
        assert refused(BytesIO(b"\x1e" + page(NUMBERS)[:-40])) is Fault.TRUNCATED
        assert refused(BytesIO(sequence(page(NUMBERS)).getvalue() + b"\x1e")) is Fault.TRUNCATED
        assert refused(BytesIO()) is Fault.TRUNCATED

    @pytest.mark.parametrize(
        "content",
        [
            b"<html>log in</html>",
            b"[]",
            b"{}",
            b'{"Result": 3}',
            b'{"Result": [3]}',
            b'{"Result": []}',
            b'{"Result": [], "TotalCount": "3"}',
            b'{"Result": NaN}',
        ],
    )
    def test_what_is_no_page(self, content: bytes) -> None:
        assert refused(sequence(content)) is Fault.BAD_CONTENT

    def test_a_column_that_is_gone_is_named(self) -> None:
        row = {name: cell for name, cell in NUMBERS.items() if name != "where_prec"}
        with pytest.raises(Unusable) as caught:
            api(sequence(page(row)))
        assert caught.value.fault is Fault.BAD_HEADER

    @pytest.mark.parametrize(
        ("cell", "message"),
        [
            (None, "best: must be a whole number"),
            (True, "best: must be a whole number"),
            ([3], "best: must be a whole number"),
            (3.5, "best: must be a whole number"),
            (10**20, "best: must be a whole number"),
            ("3\0", "holds characters that are not text"),
        ],
    )
    def test_a_row_that_cannot_be_read_is_wrong_alone(self, cell: Any, message: str) -> None:
        first, second = api(sequence(page(NUMBERS | {"best": cell}, NUMBERS)))
        assert str(first.error) == message
        assert second.error is None


class TestNextPage:
    URL = "https://ucdpapi.pcr.uu.se/api/gedevents/26.1?pagesize=1000&page=2&Country=369"

    def test_is_where_the_page_says(self) -> None:
        link = self.URL.replace("page=2", "page=3")
        assert next_url(page(NextPageUrl=link), self.URL) == link

    def test_keeps_the_scheme_of_the_page_before(self) -> None:
        link = "http://ucdpapi.pcr.uu.se/api/gedevents/26.1?page=3"
        assert next_url(page(NextPageUrl=link), self.URL) == link.replace("http:", "https:")

    def test_may_be_relative(self) -> None:
        assert next_url(page(NextPageUrl="?page=3"), self.URL) == (
            "https://ucdpapi.pcr.uu.se/api/gedevents/26.1?page=3"
        )

    @pytest.mark.parametrize(
        "link",
        [
            "https://example.org/api/gedevents/26.1?page=3",
            "https://ucdpapi.pcr.uu.se.example.org/?page=3",
            "https://ucdpapi.pcr.uu.se@example.org/?page=3",
            "https://someone@ucdpapi.pcr.uu.se/?page=3",
            "https://ucdpapi.pcr.uu.se:8443/?page=3",
            "//example.org/?page=3",
            "file:///etc/passwd",
            "ftp://ucdpapi.pcr.uu.se/?page=3",
            "https://[",
        ],
    )
    def test_on_another_host_is_refused(self, link: str) -> None:
        with pytest.raises(Unusable) as caught:
            next_url(page(NextPageUrl=link), self.URL)
        assert caught.value.fault is Fault.REDIRECT_REFUSED

    def test_there_is_none_behind_an_empty_address(self) -> None:
        # The API may answer 500 for a page behind the last one.
        assert next_url(page(NextPageUrl="", TotalPages=9), self.URL) is None

    def test_is_counted_where_the_page_names_none(self) -> None:
        assert next_url(page(NextPageUrl=None, TotalPages=3), self.URL) == (
            "https://ucdpapi.pcr.uu.se/api/gedevents/26.1?pagesize=1000&Country=369&page=3"
        )
        assert next_url(page(NextPageUrl=None, TotalPages=2), self.URL) is None
        first = "https://ucdpapi.pcr.uu.se/api/gedevents/26.1"
        assert next_url(page(NextPageUrl=None, TotalPages=2), first) == f"{first}?page=2"

    def test_a_page_that_names_itself_would_never_end(self) -> None:
        with pytest.raises(Unusable) as caught:
            next_url(page(NextPageUrl=self.URL), self.URL)
        assert caught.value.fault is Fault.BAD_CONTENT


def test_formats_are_found_by_name() -> None:
    assert format_named("ucdp-ged") is FORMATS["ucdp-ged"]
    assert [name for name, each in FORMATS.items() if name != each.name] == []
    with pytest.raises(Invalid) as caught:
        format_named("ucdp")
    assert str(caught.value) == "format: is not a known format"


def test_its_rows_may_be_passed_on() -> None:
    assert not FORMATS["ucdp-ged"].restricted
    assert not FORMATS["ucdp-api"].restricted
    assert [FORMATS[name].pages for name in ("ucdp-ged", "ucdp-api")] == [False, True]
