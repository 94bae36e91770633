"""CSV, NDJSON and GeoJSON by a mapping, and our own exports without one."""

import json
import tomllib
import tracemalloc
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.imports import Fault, Unusable
from service.errors import Invalid
from service.formats import tabular
from service.formats.exports import csv as comma_separated
from service.formats.exports.subjects import REPORTS
from service.formats.exports.writing import About, Content
from service.formats.imports.entries import Entry, Kind, Reading
from service.formats.imports.mapped import Csv, GeoJson, Ndjson, OwnReports
from service.formats.imports.mapping import describe
from service.formats.imports.registry import FORMATS
from service.formats.reports import ReportIn
from service.formats.validation import parse
from service.formats.watching import CoverageIn, TallyIn

EXAMPLES = Path(__file__).parents[2] / "docs" / "formats" / "examples"
GUIDE = EXAMPLES.parent / "mapping.md"
LEAST: dict[str, Any] = {
    "key": "id",
    "claimant": {"always": "residents"},
    "when": "when",
    "where": {"place": "place"},
    "casualties": {"killed": "killed"},
}
FEATURES: dict[str, Any] = {
    "key": "properties.id",
    "claimant": {"always": "residents"},
    "when": "properties.when",
}


def csv(content: str | bytes, mapping: dict[str, Any] = LEAST, **how: Any) -> list[Entry]:
    data = content.encode() if isinstance(content, str) else content
    return list(Csv().read(BytesIO(data), Reading(mapping=mapping, **how)))


def ndjson(*lines: object, mapping: dict[str, Any] = LEAST, **how: Any) -> list[Entry]:
    data = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return list(Ndjson().read(BytesIO(data.encode()), Reading(mapping=mapping, **how)))


def geojson(content: object, mapping: dict[str, Any] = FEATURES, **how: Any) -> list[Entry]:
    text = content if isinstance(content, str) else json.dumps(content)
    return list(GeoJson().read(BytesIO(text.encode()), Reading(mapping=mapping, **how)))


def feature(number: int = 1, geometry: object = None, **properties: Any) -> dict[str, Any]:
    about = {"id": f"f-{number}", "when": "2020-10-04", **properties}
    return {"type": "Feature", "geometry": geometry, "properties": about}


def collection(*features: object, **others: object) -> dict[str, Any]:
    return {"type": "FeatureCollection", **others, "features": list(features)}


def value(entry: Entry) -> dict[str, Any]:
    assert entry.value is not None, entry.error
    return entry.value


def fault(read: Any, *args: Any, **how: Any) -> Fault:
    with pytest.raises(Unusable) as caught:
        read(*args, **how)
    return caught.value.fault


def example(name: str, ending: str) -> tuple[BytesIO, Reading]:
    mapping = tomllib.loads((EXAMPLES / f"{name}.toml").read_text())
    return BytesIO((EXAMPLES / f"{name}.{ending}").read_bytes()), Reading(mapping=mapping)


class TestGuide:
    @pytest.mark.parametrize(
        ("form", "name", "ending", "entries"),
        [
            ("csv", "incidents", "csv", 3),
            ("geojson", "events", "geojson", 2),
            ("wide", "violations", "csv", 14),
        ],
    )
    def test_every_example_is_read_and_taken(
        self, form: str, name: str, ending: str, entries: int
    ) -> None:
        file, reading = example(name, ending)
        read = list(FORMATS[form].read(file, reading))
        assert len(read) == entries
        models = {Kind.REPORT: ReportIn, Kind.TALLY: TallyIn, Kind.COVERAGE: CoverageIn}
        for entry in read:
            parse(models[entry.kind], value(entry))
        assert len({entry.key for entry in read}) == entries
        columns = FORMATS[form].columns(file, reading)
        assert reading.mapping is not None
        assert [column for column, _ in describe(reading.mapping, columns)] == list(columns)

    def test_the_guide_shows_the_examples_as_they_are(self) -> None:
        shown = GUIDE.read_text()
        for file in EXAMPLES.iterdir():
            assert file.read_text().strip() in shown, file.name

    def test_the_example_of_csv_says_what_the_guide_says(self) -> None:
        first, second, third = (value(e) for e in Csv().read(*example("incidents", "csv")))
        assert first["when"] == "2022-03-05T21:40"
        assert first["timezone"] == "Asia/Baku"
        assert first["where"]["precision"] == "settlement"
        assert (first["where"]["lat"], first["where"]["lon"]) == (39.8177, 46.7528)
        assert first["weapons"] == ["small-arms", {"weapon": "mortar", "calibre_mm": 82.0}]
        assert second["casualties"] == [
            {
                "party": "armenia",
                "group": "military",
                "killed": {"words": "at least 3"},
                "wounded": {"words": "dozens"},
            },
            {"party": "azerbaijan", "group": "military", "killed": 0},
            {"group": "civilian", "displaced": 1250},
        ]
        assert third == {
            "when": "2022-03-26",
            "where": {"sector": "line-of-separation-north-east"},
            "claimant": "a shepherd",
            "summary": "Shots were heard all night.",
        }


class TestCsv:
    HEADER = "id,when,place,killed\n"

    def test_a_row_is_a_report_known_by_its_key(self) -> None:
        [entry] = csv(self.HEADER + "7,2022-08-03,Lachin,2\n")
        assert (entry.line, entry.key, entry.kind) == (2, "7", Kind.REPORT)
        assert value(entry) == {
            "when": "2022-08-03",
            "where": {"place": "Lachin"},
            "claimant": "residents",
            "casualties": [{"killed": 2}],
        }
        assert list(entry.original) == ["id", "when", "place", "killed"]

    def test_an_empty_cell_says_nothing_and_0_is_zero(self) -> None:
        empty, zero = csv(self.HEADER + "1,2022-08-03,Lachin,\n2,2022-08-03,Lachin,0\n")
        assert "casualties" not in value(empty)
        assert value(zero)["casualties"] == [{"killed": 0}]

    @pytest.mark.parametrize("cell", ["1_0", "３", '" 7 "', '"1,234"', '"12,5"'])
    def test_numbers_not_declared_are_wrong_in_their_row_alone(self, cell: str) -> None:
        wrong, right = csv(self.HEADER + f"1,2022-08-03,Lachin,{cell}\n2,2022-08-03,Lachin,7\n")
        assert wrong.value is None
        assert [p.field for p in (wrong.error or Invalid("")).problems] == ["casualties.0.killed"]
        assert (wrong.key, wrong.line) == ("1", 2)
        assert value(right)["casualties"] == [{"killed": 7}]

    def test_declared_they_are_read(self) -> None:
        row = '1,2022-08-03,Lachin,"1,234"\n'
        [entry] = csv(self.HEADER + row, {**LEAST, "numbers": "1,234"})
        assert value(entry)["casualties"] == [{"killed": 1234}]
        [entry] = csv(self.HEADER + '1,2022-08-03,Lachin," 7 "\n', {**LEAST, "trim": True})
        assert value(entry)["casualties"] == [{"killed": 7}]

    def test_marks_and_encodings_are_as_declared(self) -> None:
        text = self.HEADER + "1,2022-08-03,Шуша,2\n"
        [entry] = csv(b"\xef\xbb\xbf" + text.encode())
        assert value(entry)["where"] == {"place": "Шуша"}
        [entry] = csv(text.encode("cp1251"), encoding="cp1251")
        assert value(entry)["where"] == {"place": "Шуша"}
        assert fault(csv, text.encode("cp1251")) is Fault.BAD_ENCODING
        assert fault(csv, text.encode("utf-16")) is Fault.BAD_ENCODING

    def test_the_delimiter_is_declared_and_the_mapping_tells_which_it_is(self) -> None:
        text = (self.HEADER + "1,2022-08-03,Lachin,2\n").replace(",", ";")
        assert len(csv(text, delimiter=";")) == 1
        with pytest.raises(Unusable, match="semicolons"):
            csv(text)

    def test_short_and_long_rows_and_doubled_columns(self) -> None:
        rows = csv(self.HEADER + "1,2022-08-03\n2,2022-08-03,Lachin,1,1\n3,2022-08-03,Lachin,1\n")
        assert [row.error is None for row in rows] == [False, False, True]
        assert fault(csv, "id,id,when,place,killed\n") is Fault.BAD_HEADER

    def test_an_open_quote_and_an_endless_line_stop_the_reading(self) -> None:
        open_quote = self.HEADER + '1,2022-08-03,"Lachin,2\n' + "2,2022-08-03,Lachin,2\n" * 20
        assert fault(csv, open_quote) is Fault.SUSPICIOUS_ROWCOUNT
        assert fault(csv, self.HEADER + "x" * 5000, longest_line=1000) is Fault.LINE_TOO_LONG

    def test_a_wrong_mapping_is_refused_before_the_first_row(self) -> None:
        for wrong in ({**LEAST, "claimant": "residents"}, {**LEAST, "wher": {}}, {}):
            with pytest.raises(Unusable) as caught:
                next(Csv().read(BytesIO(self.HEADER.encode()), Reading(mapping=wrong)))
            assert caught.value.fault is Fault.BAD_HEADER
        for field in ("claimant", "where"):
            lacking = {k: v for k, v in LEAST.items() if k != field}
            assert fault(csv, self.HEADER, lacking) is Fault.BAD_HEADER

    def test_the_claimant_of_the_source_stands_where_a_row_names_none(self) -> None:
        text = "id,when,place,killed,who\n1,2022-08-03,Lachin,2,icrc\n2,2022-08-03,Lachin,2,\n"
        named, unnamed = csv(text, {**LEAST, "claimant": "who"}, claimant="local-media")
        assert value(named)["claimant"] == "icrc"
        assert value(unnamed)["claimant"] == "local-media"

    def test_several_columns_make_one_key_that_no_other_row_has(self) -> None:
        text = self.HEADER + "a|b,2022-08-03,c,\na,2022-08-03,b|c,\n,2022-08-03,,\n"
        keys = [e.key for e in csv(text, {**LEAST, "key": ["id", "place"]})]
        assert len({*keys}) == 3
        assert keys[2] is None

    def test_a_row_without_a_key_or_a_date_is_wrong(self) -> None:
        rows = csv(self.HEADER + ",2022-08-03,Lachin,1\n2,,Lachin,1\n3,n/a,Lachin,1\n")
        fields = [(r.error or Invalid("")).problems[0].field for r in rows]
        assert fields == ["key", "when", "when"]

    def test_formulas_stay_as_they_are_written(self) -> None:
        rows = csv(self.HEADER + "1,2022-08-03,=1+1,\n2,2022-08-03,'=1+1,\n")
        assert [value(r)["where"]["place"] for r in rows] == ["=1+1", "'=1+1"]

    def test_areas_are_handed_on_the_finest_first(self) -> None:
        mapping = {**LEAST, "where": {"areas": ["place", "id"]}}
        [entry] = csv(self.HEADER + "Syunik,2022-08-03,Goris,\n", mapping)
        assert entry.areas == ("Goris", "Syunik")

    def test_a_long_file_takes_little_memory(self) -> None:
        row = b"1,2022-08-03,Lachin,2\n"
        file = TemporaryFile()  # noqa: SIM115
        file.write(self.HEADER.encode() + row * 5_000)
        entries = Csv().read(file, Reading(mapping=LEAST))
        tracemalloc.start()
        count = sum(1 for _ in entries)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        file.close()
        assert count == 5_000
        assert most < 1_000_000


class TestTalliesAndCoverage:
    TALLY: ClassVar[dict[str, Any]] = {
        "kind": "tally",
        "key": ["who", "from"],
        "claimant": "who",
        "unit": "unit",
        "count": "count",
        "sector": "sector",
        "timezone": "Asia/Yerevan",
        "from": {"column": "from", "format": "DD.MM.YYYY"},
    }
    ROW = "who,sector,from,to,unit,count\nicrc,line-of-contact,17.03.2019,23.03.2019,shots,{}\n"

    def read(self, count: str, **end: Any) -> Entry:
        [entry] = csv(self.ROW.format(count), {**self.TALLY, **end})
        return entry

    def test_a_last_day_is_in_the_span_and_an_end_is_not(self) -> None:
        day = {"column": "to", "format": "DD.MM.YYYY"}
        entry = self.read("182", through=day)
        assert entry.kind is Kind.TALLY
        assert value(entry) == {
            "claimant": "icrc",
            "from": "2019-03-17T00:00+04:00",
            "to": "2019-03-24T00:00+04:00",
            "unit": "shots",
            "count": 182,
            "sector": "line-of-contact",
        }
        parse(TallyIn, value(entry))
        assert value(self.read("182", to=day))["to"] == "2019-03-23T00:00+04:00"

    def test_counts_in_words(self) -> None:
        end = {"to": {"always": "2019-04"}}
        assert value(self.read("about 180", **end))["count"] == {"words": "about 180"}

    def test_a_time_zone_must_be_declared_for_the_whole(self) -> None:
        mapping = {k: v for k, v in self.TALLY.items() if k != "timezone"} | {"to": "to"}
        with pytest.raises(Unusable, match="timezone"):
            csv(self.ROW.format(1), mapping)

    def test_coverage(self) -> None:
        mapping = {
            "kind": "coverage",
            "key": "id",
            "observer": "observer",
            "sectors": {"column": "sectors", "separator": "/"},
            "means": {"always": "observation posts"},
            "access": {"column": "access", "values": {"part": "partial"}},
            "period": {"column": "month", "format": "MM/YYYY"},
            "timezone": "Asia/Yerevan",
        }
        text = "id,observer,sectors,access,month\n1,icrc,lachin-corridor / interior,part,08/2022\n"
        [entry] = csv(text, mapping)
        assert (entry.kind, entry.key) == (Kind.COVERAGE, "1")
        assert parse(CoverageIn, value(entry)).posted() == {
            "observer": "icrc",
            "sectors": ["lachin-corridor", "interior"],
            "from": "2022-08-01T00:00+04:00",
            "to": "2022-09-01T00:00+04:00",
            "means": "observation posts",
            "access": "partial",
        }


class TestNdjson:
    def row(self, number: int = 1, **others: Any) -> dict[str, Any]:
        return {"id": number, "when": "2022-08-03", "place": "Lachin", "killed": 2, **others}

    def test_a_line_is_a_report_and_paths_have_dots(self) -> None:
        mapping = {**LEAST, "where": {"place": "at.names.0"}, "weapons": "arms"}
        [entry] = ndjson(
            self.row(at={"names": ["Lachin"]}, arms=["mortar", "uav"]), mapping=mapping
        )
        assert (entry.key, entry.line) == ("1", 1)
        assert value(entry)["where"] == {"place": "Lachin"}
        assert value(entry)["weapons"] == ["mortar", "uav"]
        parse(ReportIn, value(entry))
        assert entry.original["at.names"] == "Lachin"

    @pytest.mark.parametrize("text", ["a\0b", "\ud800"])
    def test_what_is_no_text_is_wrong_wherever_it_stands(self, text: str) -> None:
        rows = (self.row(id=text), self.row(other=text), {**self.row(), text: 1})
        for entry in ndjson(self.row(), *rows)[1:]:
            assert "not text" in str(entry.error)
            assert (entry.key, entry.original) == (None, {})
        [entry] = csv(TestCsv.HEADER.encode() + b"1,2022-08-03,a\0b,\n")
        assert "not text" in str(entry.error)

    def test_coordinates_of_absurd_size_are_wrong(self) -> None:
        mapping = {**LEAST, "where": {"lat": "lat", "lon": "lon"}}
        [entry] = ndjson(self.row(lat=10**400, lon=1), mapping=mapping)
        assert str(entry.error) == "where.lat: is not a number of degrees"

    def test_null_says_nothing_and_a_list_is_not_a_text(self) -> None:
        null, wrong = ndjson(self.row(1, killed=None), self.row(2, place=["a", "b"], killed=1))
        assert "casualties" not in value(null)
        assert str(wrong.error) == "where.place: must be text"

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("[" * 100 + "]" * 100, "is nested deeper than 32"),
            ('{"id": 1, "id": 2}', "names a field twice"),
            ('{"id": NaN}', "is not JSON"),
            ('{"id": Infinity}', "is not JSON"),
            ('{"id": ' + "9" * 10_000 + "}", "is not JSON"),
            ("{", "is not JSON"),
            ("[1]", "must be an object"),
        ],
    )
    def test_hostile_json_is_wrong_in_its_line_alone(self, line: str, message: str) -> None:
        first, hostile, last = ndjson(self.row(1), line, self.row(3))
        assert (str(hostile.error), hostile.line, hostile.value) == (message, 2, None)
        assert (first.key, last.key) == ("1", "3")

    @pytest.mark.parametrize("number", ["1e999", "2.5", "true", "-1e999"])
    def test_a_number_that_is_no_count_is_wrong(self, number: str) -> None:
        line = json.dumps(self.row(killed=0)).replace("0}", number + "}")
        [entry] = ndjson(line)
        assert entry.error is not None

    def test_what_is_not_ndjson_is_refused_whole(self) -> None:
        assert fault(ndjson, "<html><body>Log in</body></html>") is Fault.BAD_CONTENT
        assert fault(ndjson, "x" * 5000, longest_line=1000) is Fault.LINE_TOO_LONG
        encoded = json.dumps(self.row()).encode("utf-16-le")
        with pytest.raises(Unusable) as caught:
            list(Ndjson().read(BytesIO(encoded), Reading(mapping=LEAST)))
        assert caught.value.fault is Fault.BAD_ENCODING

    def test_a_path_that_no_line_has_is_refused_at_once(self) -> None:
        mapping = {**LEAST, "summary": "sumary"}
        assert fault(ndjson, self.row(), mapping=mapping) is Fault.BAD_HEADER
        assert len(ndjson(self.row(), mapping={**mapping, "optional": ["sumary"]})) == 1
        later = ndjson(self.row(1), self.row(2, sumary=None), mapping=mapping)
        assert all(entry.error is None for entry in later)

    def test_an_empty_file_lacks_nothing(self) -> None:
        assert ndjson() == []
        columns = Ndjson().columns(BytesIO(b""), Reading(mapping=LEAST))
        assert columns == ("id", "killed", "place", "when")


class TestGeoJson:
    POINT: ClassVar[dict[str, Any]] = {"type": "Point", "coordinates": [46.6, 39.8]}
    LINE: ClassVar[dict[str, Any]] = {
        "type": "LineString",
        "coordinates": [[46.5, 39.7], [46.7, 39.9]],
    }

    def test_a_point_gives_the_position(self) -> None:
        [entry] = geojson(collection(feature(1, self.POINT)))
        assert (entry.key, entry.line) == ("f-1", 1)
        assert value(entry)["where"] == {"lat": 39.8, "lon": 46.6}
        parse(ReportIn, value(entry))

    def test_another_geometry_needs_a_declaration_of_how_finely_it_is_known(self) -> None:
        [entry] = geojson(collection(feature(1, self.LINE)))
        assert "where.representative" in str(entry.error)
        assert entry.key == "f-1"
        declared = {**FEATURES, "where": {"representative": "district"}}
        [entry] = geojson(collection(feature(1, self.LINE)), declared)
        where = value(entry)["where"]
        assert where["precision"] == "district"
        assert 46 <= where["lon"] <= 47
        assert 39 <= where["lat"] <= 40

    @pytest.mark.parametrize(
        "geometry",
        [
            {"type": "Point", "coordinates": ["46", "39"]},
            {"type": "Point", "coordinates": [46]},
            {"type": "Point", "coordinates": [True, False]},
            {"type": "Point", "coordinates": [10**400, 1]},
            {"type": "Polygon", "coordinates": [[[10**400, 1], [2, 2], [3, 3], [1, 1]]]},
            {"type": "Point"},
            {"type": "Polygon", "coordinates": []},
            {"type": "Polygon", "coordinates": [[[1, 1], [2, 2]]]},
            {"type": "Polygon", "coordinates": "x"},
            {"type": "LineString", "coordinates": [[None, 1], [2, 2]]},
            {"type": "GeometryCollection", "geometries": []},
            {"type": "Nothing"},
            {"coordinates": [1, 1]},
            "Point",
            [1, 2],
        ],
    )
    def test_a_broken_geometry_is_wrong_in_its_feature_alone(self, geometry: object) -> None:
        declared = {**FEATURES, "where": {"representative": "district"}}
        broken, right = geojson(collection(feature(1, geometry), feature(2, self.POINT)), declared)
        assert broken.error is not None
        assert right.error is None

    def test_features_one_a_line_with_and_without_separators(self) -> None:
        lines = [json.dumps(feature(n, self.POINT)) for n in (1, 2)]
        for text in ("\n".join(lines), "".join(f"\x1e{line}\n" for line in lines)):
            assert [(e.key, e.line) for e in geojson(text)] == [("f-1", 1), ("f-2", 2)]

    def test_a_collection_is_cut_right_however_it_is_laid_out(self) -> None:
        tricky = [
            feature(1, self.POINT, note='"features": [{ \\" ]}'),
            feature(2, None, features=[{"type": "x"}], more=[[1], {"a": []}]),
            feature(3, self.POINT, note="\\"),
        ]
        for others in ({}, {"name": "a", "meta": {"features": [1, 2], "x": ["[", "{"]}}):
            for layout in ({}, {"indent": 2}, {"separators": (",", ":")}):
                text = json.dumps(collection(*tricky, **others), **layout)  # type: ignore[arg-type]
                for filling in (0, 65_530):
                    entries = geojson(" " * filling + text)
                    assert [e.key for e in entries] == ["f-1", "f-2", "f-3"]

    def test_every_cut_at_the_edge_of_a_chunk_is_right(self) -> None:
        text = json.dumps(collection(feature(1, self.POINT, note='a\\"b\\\\'), feature(2)))
        for filling in range(65_536 - len(text), 65_536):
            assert len(geojson(" " * filling + text)) == 2

    @pytest.mark.parametrize(
        ("text", "fault_of"),
        [
            ("<html>", Fault.BAD_CONTENT),
            ('{"type": "FeatureCollection"}', Fault.BAD_CONTENT),
            ('{"type": "Topology", "features": []}', Fault.BAD_CONTENT),
            ('{"type": "FeatureCollection", "features": {}}', Fault.BAD_CONTENT),
            ('{"type": "FeatureCollection", "features": [1]}', Fault.BAD_CONTENT),
            ('{"type": "FeatureCollection", "features": [{},]}', Fault.BAD_CONTENT),
            ('{"type": "FeatureCollection", "features": [{} {}]}', Fault.BAD_CONTENT),
            ('{"type": "FeatureCollection", "features": [], "features": []}', Fault.BAD_CONTENT),
            ('{"type": "FeatureCollection", "features": [{}', Fault.TRUNCATED),
            (
                '{"type": "FeatureCollection", "crs": "x", "features": []}',
                Fault.BAD_CONTENT,
            ),
            ('{"type": "FeatureCollection", "features": []}]', Fault.TRUNCATED),
            ('{"a":' * 1000 + "1" + "}" * 1000, Fault.BAD_CONTENT),
            ('{"features": [' + "[" * 100_000, Fault.BAD_CONTENT),
        ],
    )
    def test_what_is_not_a_collection_is_refused(self, text: str, fault_of: Fault) -> None:
        optional = {**FEATURES, "optional": ["properties.id", "properties.when"]}
        assert fault(geojson, text, optional) is fault_of

    def test_hostile_features_are_wrong_alone(self) -> None:
        deep = '{"type":"Feature","x":' + "[" * 100 + "]" * 100 + "}"
        doubled = '{"type":"Feature","type":"Feature"}'
        constant = '{"type":"Feature","x":NaN}'
        right = json.dumps(feature(1))
        text = '{"type":"FeatureCollection","features":[%s]}'
        entries = geojson(text % ",".join([deep, doubled, constant, '{"type":"x"}', right]))
        assert [entry.error is None for entry in entries] == [False] * 4 + [True]

    def test_a_huge_feature_and_huge_surroundings_are_refused(self) -> None:
        huge = collection(feature(1, note="x" * 5000))
        assert fault(geojson, huge, longest_line=2000) is Fault.LINE_TOO_LONG
        around = collection(feature(1), note="x" * 200_000)
        assert fault(geojson, around, longest_line=2000) is Fault.LINE_TOO_LONG

    def test_many_features_take_little_memory(self) -> None:
        text = json.dumps(collection(*(feature(n, self.POINT) for n in range(4_000))), indent=0)
        file = BytesIO(text.encode())
        tracemalloc.start()
        count = sum(1 for _ in GeoJson().read(file, Reading(mapping=FEATURES)))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == 4_000
        assert most < 1_000_000


class TestOwnReports:
    def view(self, **others: Any) -> dict[str, Any]:
        return {
            "id": "5d0f3a52-8a5c-4c3e-9d2a-0f6b7c8d9e20",
            "revision": 1,
            "when": "2022-08-03",
            "where": {"place": "Lachin", "sector": None, "lat": 39.64, "lon": 46.55},
            "weapons": [{"weapon": "uav-strike"}, {"weapon": "mortar"}],
            "casualties": [
                {"party": "nk-de-facto", "killed": {"low": 2, "best": 2, "high": 2}},
                {"party": "azerbaijan", "wounded": {"low": 24, "best": 24, "words": "dozens"}},
            ],
            "claimant": "nk-de-facto-authorities",
            "summary": "=HYPERLINK(1)",
            "sources": [{"title": "+1 statement"}],
            **others,
        }

    def read(self, data: bytes, **how: Any) -> list[Entry]:
        return list(OwnReports().read(BytesIO(data), Reading(**how)))

    def csv_of(self, *views: dict[str, Any]) -> bytes:
        out = BytesIO()
        about = About("", "", None, "", "", len(views))
        comma_separated.Csv().write(out, Content(REPORTS, about, [views]))
        return out.getvalue()

    def test_our_own_csv_comes_back_as_it_was(self) -> None:
        [entry] = self.read(self.csv_of(self.view()))
        view = self.view()
        assert entry.key == view["id"]
        assert value(entry) == {
            "id": view["id"],
            "when": "2022-08-03",
            "where": {"place": "Lachin", "lat": 39.64, "lon": 46.55},
            "weapons": ["uav-strike", "mortar"],
            "casualties": view["casualties"],
            "claimant": "nk-de-facto-authorities",
            "summary": "=HYPERLINK(1)",
            "sources": [{"title": "+1 statement"}],
        }
        parse(ReportIn, value(entry))

    def test_our_own_ndjson_comes_back_as_it_was(self) -> None:
        report = {"id": self.view()["id"], "when": "2022-08-03", "where": {}, "claimant": "icrc"}
        data = b"\xef\xbb\xbf" + json.dumps(report).encode() + b"\n\n{}\n"
        first, second = self.read(data)
        assert (first.key, first.value, first.line) == (report["id"], report, 1)
        assert (second.key, second.line) == (None, 3)

    def test_faults_of_the_whole_file_are_found_first(self) -> None:
        data = self.csv_of(self.view())
        assert fault(self.read, data + b'x,"y\n') is Fault.SUSPICIOUS_ROWCOUNT
        assert fault(self.read, data + b"\xff\n") is Fault.BAD_ENCODING
        assert fault(self.read, data + b"x" * 9000, longest_line=5000) is Fault.LINE_TOO_LONG
        assert fault(self.read, b"id,when,claimant,other\n") is Fault.BAD_HEADER
        assert fault(self.read, b"id,when\n") is Fault.BAD_HEADER

    def test_it_needs_no_mapping_and_names_its_columns(self) -> None:
        columns = OwnReports().columns(BytesIO(self.csv_of(self.view())), Reading())
        assert columns == tuple(sorted(tabular.REPORT_COLUMNS))
        assert OwnReports().columns(BytesIO(b'{"id": 1}'), Reading()) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
EVERYTHING: dict[str, Any] = {
    **LEAST,
    "key": ["id", "place"],
    "claimant": {"column": "who", "values": {"a": "b"}},
    "when": {"column": "when", "format": "D.M.YYYY", "until": "end", "span": "within"},
    "where": {"place": "place", "lat": "lat", "lon": "lon"},
    "weapons": {"column": "arms", "separator": ";", "values": {"m": {"weapon": "mortar"}}},
    "casualties": {"killed": "killed", "wounded": {"low": "low", "high": "high"}},
    "reported": "when",
    "sources": {"title": "place", "published": "when"},
    "numbers": "1 234,5",
    "timezone": "Asia/Yerevan",
}
COLUMNS = ["id", "who", "when", "end", "place", "lat", "lon", "arms", "killed", "low", "high"]


OPTIONAL = ["properties.id", "properties.when"]


class TestAnything:
    @given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), JSON, max_size=8), max_size=4))
    def test_any_object_is_an_entry(self, rows: list[dict[str, Any]]) -> None:
        mapping = {**EVERYTHING, "optional": COLUMNS}
        assert len(ndjson(*rows, mapping=mapping)) == len(rows)
        features = [feature(1, row.get("id"), **row) for row in rows]
        paths = {"where": {"representative": "district"}, "optional": OPTIONAL}
        assert len(geojson(collection(*features), {**FEATURES, **paths})) == len(rows)

    @given(st.lists(st.lists(st.text(max_size=12), min_size=11, max_size=11), max_size=4))
    def test_any_row_is_an_entry_or_the_file_is_unusable(self, rows: list[list[str]]) -> None:
        def quoted(cell: str) -> str:
            return '"' + cell.replace('"', '""') + '"'

        text = "\n".join(",".join(map(quoted, row)) for row in [COLUMNS, *rows])
        for entry in csv(text.encode("utf-8", "replace"), EVERYTHING):
            assert (entry.value is None) != (entry.error is None)

    @given(st.binary(max_size=200), st.sampled_from(["csv", "ndjson", "geojson", "reports"]))
    def test_any_bytes_are_entries_or_unusable(self, data: bytes, name: str) -> None:
        for start in (
            b"",
            b"{",
            b'{"type": "FeatureCollection", "features": [',
            b"id,when,place\n",
        ):
            with suppress(Unusable):
                list(FORMATS[name].read(BytesIO(start + data), Reading(mapping=EVERYTHING)))

    @given(st.dictionaries(st.sampled_from([*EVERYTHING, "kind", "rows", "period", "x"]), JSON))
    def test_any_mapping_is_read_or_refused(self, mapping: dict[str, Any]) -> None:
        for name in ("csv", "wide"):
            with suppress(Unusable):
                FORMATS[name].columns(BytesIO(b"id,when\n"), Reading(mapping=mapping))
            with suppress(Unusable):
                reading = Reading(mapping={**EVERYTHING, **mapping})
                list(FORMATS[name].read(BytesIO(b"id,when\n1,2\n"), reading))
