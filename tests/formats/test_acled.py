"""What becomes of ACLED's events. Every row here is invented."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from io import BytesIO
from typing import Any

import pytest

from service.domain.figures import Figure
from service.domain.imports import Fault, Unusable
from service.domain.vocabulary import Outcome
from service.domain.when import parse_when
from service.formats.imports import acled
from service.formats.imports.acled import Acled, AcledApi, next_url
from service.formats.imports.entries import Entry, Reading
from service.formats.imports.registry import FORMATS
from service.formats.reports import ReportIn
from service.formats.validation import parse
from tests.valley import csv_of

HEADER = (
    "event_id_cnty,event_date,year,time_precision,disorder_type,event_type,sub_event_type,actor1,"
    "assoc_actor_1,inter1,actor2,assoc_actor_2,inter2,interaction,civilian_targeting,iso,region,"
    "country,admin1,admin2,admin3,location,latitude,longitude,geo_precision,source,source_scale,"
    "notes,fatalities,tags,timestamp"
)
COLUMNS = HEADER.split(",")
USUAL = dict.fromkeys(COLUMNS, "") | {
    "event_id_cnty": "XYZ0001",
    "event_date": "2031-05-06",
    "year": "2031",
    "time_precision": "1",
    "disorder_type": "Political violence",
    "event_type": "Battles",
    "sub_event_type": "Armed clash",
    "actor1": "Military Forces of Ruritania",
    "inter1": "State forces",
    "actor2": "Free Graustark Front",
    "inter2": "Rebel group",
    "interaction": "State forces-Rebel group",
    "country": "Ruritania",
    "admin1": "Upper Province",
    "admin2": "Lake District",
    "location": "Strelsau",
    "latitude": "40.1234",
    "longitude": "45.4321",
    "geo_precision": "1",
    "source": "Strelsau Gazette; Hill Radio",
    "source_scale": "Subnational-National",
    "notes": "On 6 May 2031, both sides exchanged fire near Strelsau. Two were killed.",
    "fatalities": "2",
    "tags": "",
    "timestamp": "1936000000",
}


def table(*rows: Mapping[str, str], columns: Sequence[str] = COLUMNS) -> BytesIO:
    return BytesIO(csv_of(rows, columns))


def entry(**changes: Any) -> Entry:
    row = USUAL | {name: str(cell) for name, cell in changes.items()}
    (only,) = Acled().read(table(row), Reading())
    return only


def value(**changes: Any) -> dict[str, Any]:
    read = entry(**changes)
    assert read.error is None
    assert read.value is not None
    parse(ReportIn, read.value)
    return read.value


class TestARow:
    def test_becomes_one_report(self) -> None:
        read = entry()
        assert read.value == {
            "when": "2031-05-06",
            "where": {
                "lat": 40.1234,
                "lon": 45.4321,
                "precision": "settlement",
                "as_written": "Strelsau",
            },
            "casualties": [{"killed": {"low": 2}}],
            "claimant": "acled",
            "summary": "On 6 May 2031, both sides exchanged fire near Strelsau. Two were killed.",
            "sources": [{"title": "Strelsau Gazette"}, {"title": "Hill Radio"}],
        }
        assert (read.line, read.key, read.remarks) == (2, "XYZ0001", ())
        assert read.areas == ("Lake District", "Upper Province", "Ruritania")
        assert read.original == USUAL
        assert read.kept["interaction"] == "State forces-Rebel group"
        assert "tags" not in read.kept

    @pytest.mark.parametrize(
        ("column", "cell", "message"),
        [
            ("event_id_cnty", "", "event_id_cnty: is not an id"),
            ("event_id_cnty", "XYZ 1", "event_id_cnty: is not an id"),
            ("event_date", "06/05/2031", "event_date: is not a date such as 2022-08-03"),
            ("event_date", "2031-02-30", "event_date: is not a date of the calendar"),
            ("event_date", "30 Fleb 2031", "event_date: is not a date of the calendar"),
            ("time_precision", "4", "time_precision: is not a code of the codebook"),
            ("geo_precision", "", "geo_precision: must be a whole number"),
            ("fatalities", "1_0", "fatalities: must be a whole number"),
            ("fatalities", "several", "fatalities: must be a whole number"),
            ("latitude", "40,1234", "latitude: must be a plain number"),
            ("longitude", "181", "longitude: must be between -180 and 180"),
        ],
    )
    def test_what_cannot_be_read_is_wrong_in_that_row_alone(
        self, column: str, cell: str, message: str
    ) -> None:
        first, second = Acled().read(table(USUAL | {column: cell}, USUAL), Reading())
        assert (str(first.error), first.value) == (message, None)
        assert second.error is None


class TestWhen:
    @pytest.mark.parametrize("day", ["06 May 2031", "6-May-2031"])
    def test_the_export_tool_writes_days_in_words(self, day: str) -> None:
        assert value(event_date=day)["when"] == "2031-05-06"

    @pytest.mark.parametrize(
        ("precision", "when"),
        [(1, "2031-05-06"), (2, "[2031-05-03..2031-05-09]"), (3, "2031-05")],
    )
    def test_is_as_wide_as_its_precision(self, precision: int, when: str) -> None:
        assert value(time_precision=precision)["when"] == when
        parse_when(when, UTC)


class TestWhere:
    @pytest.mark.parametrize(
        ("code", "precision", "areas"),
        [
            (1, "settlement", ("Lake District", "Upper Province", "Ruritania")),
            (2, "settlement", ("Lake District", "Upper Province", "Ruritania")),
            (3, "sector", ("Upper Province", "Ruritania")),
        ],
    )
    def test_is_as_precise_as_its_code(
        self, code: int, precision: str, areas: tuple[str, ...]
    ) -> None:
        read = entry(geo_precision=code)
        assert read.value is not None
        assert read.value["where"]["precision"] == precision
        assert read.areas == areas


class TestWhatHappened:
    def test_fatalities_are_the_least_there_were(self) -> None:
        (line,) = parse(ReportIn, value(fatalities=10)).to_draft().casualties
        assert line.line.figures == {Outcome.KILLED: Figure.at_least(10)}

    def test_zero_also_stands_for_no_number_and_is_no_figure(self) -> None:
        assert "casualties" not in value(fatalities=0)

    @pytest.mark.parametrize(
        ("kind", "weapons"),
        [
            ("Grenade", ["hand-grenade"]),
            ("Remote explosive/landmine/IED", ["mines"]),
            ("Suicide bomb", ["ied"]),
            ("Air/drone strike", None),
            ("Shelling/artillery/missile attack", None),
            ("Chemical weapon", None),
            ("Armed clash", None),
        ],
    )
    def test_a_weapon_is_named_only_where_a_class_holds_all_of_them(
        self, kind: str, weapons: list[str] | None
    ) -> None:
        assert value(sub_event_type=kind).get("weapons") == weapons

    def test_only_violence_against_civilians_says_who_did_it(self) -> None:
        assert value(event_type="Violence against civilians")["attributed_to"] == USUAL["actor1"]
        assert "attributed_to" not in value(event_type="Explosions/Remote violence")
        unknown = value(event_type="Violence against civilians", actor1="Unidentified Armed Group")
        assert "attributed_to" not in unknown

    @pytest.mark.parametrize("kind", ["Protests", "Strategic developments"])
    def test_what_is_no_attack_is_remarked(self, kind: str) -> None:
        assert entry(event_type=kind).remarks == (acled.NOT_AN_ATTACK,)

    def test_an_extract_without_notes_still_tells_what_it_is(self) -> None:
        assert value(notes="")["summary"] == (
            "Armed clash; Military Forces of Ruritania; Free Graustark Front"
        )


class TestColumns:
    def test_older_layouts_have_more_and_numbers_for_words(self) -> None:
        older = ["data_id", "iso", "event_id_no_cnty", *reversed(COLUMNS), "iso3"]
        row = USUAL | {"data_id": "77", "event_id_no_cnty": "1", "inter1": "1", "inter2": "2"}
        columns = [*dict.fromkeys(older)]
        (read,) = Acled().read(table(row, columns=columns), Reading())
        assert read.value == entry().value
        assert (read.kept["data_id"], read.kept["inter1"]) == ("77", "1")
        assert Acled().columns(table(row, columns=columns), Reading()) == tuple(sorted(columns))

    @pytest.mark.parametrize("missing", ["event_id_cnty", "geo_precision", "fatalities"])
    def test_a_missing_column_is_named(self, missing: str) -> None:
        file = table(USUAL, columns=[name for name in COLUMNS if name != missing])
        with pytest.raises(Unusable) as caught:
            list(Acled().read(file, Reading()))
        assert caught.value.fault is Fault.BAD_HEADER
        assert str(caught.value) == f"file: lacks the column {missing}"

    def test_semicolons_are_read_where_they_are_declared(self) -> None:
        file = BytesIO(
            b"\n".join(
                line.replace(b",", b";") for line in (HEADER.encode(), b",".join([b"1"] * 31))
            )
        )
        with pytest.raises(Unusable, match="semicolons"):
            list(Acled().read(file, Reading()))
        assert len(list(Acled().read(file, Reading(delimiter=";")))) == 1


def page(*rows: Mapping[str, Any], **others: Any) -> bytes:
    return json.dumps({"success": True, "status": 200, "data": rows} | others).encode()


def sequence(*pages: bytes) -> BytesIO:
    return BytesIO(b"".join(b"\x1e" + one + b"\n" for one in pages))


def refused(file: BytesIO) -> Fault:
    with pytest.raises(Unusable) as caught:
        list(AcledApi().read(file, Reading()))
    return caught.value.fault


class TestPages:
    URL = "https://acleddata.com/api/acled/read?_format=json&limit=2&country=Ruritania"

    def test_are_read_one_behind_the_other(self) -> None:
        row = USUAL | {"fatalities": 2, "latitude": 40.1234, "geo_precision": 1}
        file = sequence(page(row, row), page(row), page())
        read = list(AcledApi().read(file, Reading()))
        assert [one.line for one in read] == [1, 2, 3]
        assert read[0].value == entry().value
        assert AcledApi().columns(file, Reading()) == tuple(sorted(COLUMNS))

    def test_a_total_that_is_given_must_be_reached(self) -> None:
        assert refused(sequence(page(USUAL, total_count=2))) is Fault.TRUNCATED

    @pytest.mark.parametrize("failed", [False, "false", "0", 0])
    def test_a_page_that_says_it_failed_is_none(self, failed: Any) -> None:
        assert refused(sequence(page(success=failed))) is Fault.BAD_CONTENT

    def test_a_full_page_has_another_behind_it(self) -> None:
        second = next_url(page(USUAL, USUAL), self.URL)
        assert second == f"{self.URL}&page=2"
        assert next_url(page(USUAL, USUAL), second) == f"{self.URL}&page=3"

    def test_a_short_or_empty_page_is_the_last(self) -> None:
        assert next_url(page(USUAL), self.URL) is None
        assert next_url(page(), self.URL) is None
        assert next_url(page(USUAL, USUAL), self.URL.replace("&limit=2", "")) is None

    def test_a_page_that_cannot_be_read_has_none_behind_it(self) -> None:
        for body in (b"<html>", page(success=False), b'{"data": 1}'):
            with pytest.raises(Unusable) as caught:
                next_url(body, self.URL)
            assert caught.value.fault is Fault.BAD_CONTENT


def test_its_rows_must_not_be_passed_on() -> None:
    assert FORMATS["acled"].restricted
    assert FORMATS["acled-api"].restricted
    assert [FORMATS[name].pages for name in ("acled", "acled-api")] == [False, True]
