"""Values that break a rule are refused at every way in, by name, and leave no trace."""

from tests import corpus
from tests.corpus import MARK, Bad, Door, coverage, refusals, report, tally
from tests.harness import Service

NOT_JSON = (
    Bad("NaN", "NaN", 400),
    Bad("infinity", "Infinity", 400),
    Bad("minus infinity", "-Infinity", 400),
    Bad("5,000 digits", "9" * 5_000, 400),
    Bad("a leading zero", "012", 400),
    Bad("a hexadecimal number", "0x10", 400),
    Bad("a comment", "1 /* one */", 400),
    Bad("single quotes", f"'{MARK}'", 400),
    Bad("100,000 lists in one another", "[" * 100_000 + "]" * 100_000, 400),
    Bad("100,000 open lists", "[" * 100_000, 400),
    Bad("33 objects in one another", '{"a":' * 33 + "1" + "}" * 33, 400),
)
NOT_COUNTS = (
    Bad("an infinite number", "1e999"),
    Bad("NaN as text", '"NaN"'),
    Bad("2^31", str(2**31)),
    Bad("2^63", str(2**63)),
    Bad("400 digits", "9" * 400),
    Bad("a boolean", "true"),
    Bad("digits as text", '"12"'),
    Bad("text", f'"{MARK}"'),
    Bad("a number with a point", "1.0"),
    Bad("a half", "1.5"),
    Bad("a negative number", "-1"),
    Bad("a list", "[1]"),
    Bad("an empty object", "{}"),
    Bad("best alone", '{"best": 3}'),
    Bad("high alone", '{"high": 3}'),
    Bad("low above high", '{"low": 5, "high": 3}'),
    Bad("best below low", '{"low": 3, "best": 2, "high": 5}'),
    Bad("best above high", '{"low": 3, "best": 6, "high": 5}'),
    Bad("a negative low", '{"low": -1}', below="low"),
    Bad("a boolean low", '{"low": true}', below="low"),
    Bad("an unknown bound", '{"low": 1, "most": 3}', below="most"),
    Bad("empty words", '{"words": ""}', below="words"),
)
NOT_DEGREES = (
    Bad("91", "91"),
    Bad("a hair above 90", "90.0000001"),
    Bad("a hair below -90", "-90.0000001"),
    Bad("an infinite number", "1e999"),
    Bad("a huge number", "1e308"),
    Bad("400 digits", "9" * 400),
    Bad("NaN as text", '"NaN"'),
    Bad("digits as text", '"40.1"'),
    Bad("a boolean", "true"),
    Bad("a list", "[40.1]"),
)
NOT_TEXT = (
    Bad("a lone surrogate", f'"{MARK} \\ud800"'),
    Bad("a pair the wrong way round", f'"{MARK} \\udc00\\ud800"'),
    Bad("NUL", f'"{MARK} \\u0000"'),
    Bad("20,001 characters", f'"{MARK}{"x" * (20_001 - len(MARK))}"'),
    Bad("a number", "12"),
    Bad("a boolean", "false"),
    Bad("a list", f'["{MARK}"]'),
    Bad("an object", f'{{"{MARK}": 1}}'),
)
NOT_CODES = (
    *(
        Bad(name, f'"{MARK}{character}a"')
        for name, character in (
            ("right-to-left override", "\u202e"),
            ("right-to-left isolate", "\u2067"),
            ("zero-width space", "\u200b"),
            ("zero-width joiner", "\u200d"),
            ("byte order mark", "\ufeff"),
            ("escape", "\\u001b"),
            ("delete", "\x7f"),
            ("C1 control", "\x85"),
            ("line feed", "\\n"),
            ("carriage return", "\\r"),
            ("tab", "\\t"),
            ("NUL", "\\u0000"),
            ("a lone surrogate", "\\udfff"),
        )
    ),
    Bad("nothing", '""'),
    Bad("201 characters", f'"{MARK}{"x" * (201 - len(MARK))}"'),
    Bad("a number", "12"),
    Bad("a list", f'["{MARK}"]'),
)
NOT_MOMENTS = (
    Bad("zero", "0"),
    Bad("seconds since 1970", "1659484800"),
    Bad("seconds since 1970 as text", '"1659484800"'),
    Bad("a day that is none", '"2022-02-30"'),
    Bad("a month that is none", '"2022-13"'),
    Bad("an hour that is none", '"2022-08-03T25:00Z"'),
    Bad("an offset that is none", '"2022-08-03T14:30+99:00"'),
    Bad("the year 0", '"0000-01-01"'),
    Bad("a far year", '"9999-12-31"'),
    Bad("without hyphens", '"20220803"'),
    Bad("the American order", '"08/03/2022"'),
    Bad("a space for the T", '"2022-08-03 14:30+04:00"'),
    Bad("a time without an offset", '"2022-08-03T14:30"'),
    Bad("digits of another script", '"٢٠٢٢-٠٨-٠٣"'),
    Bad("words", f'"{MARK} yesterday"'),
    Bad("a span from end to start", '"2022-08-05/2022-08-03"'),
    Bad("a range from end to start", '"[2022-08-05..2022-08-03]"'),
    Bad("a range with no known side", '"[..]"'),
    Bad("more than 24 hours ahead", '"2022-10-02T12:00:01Z"'),
    Bad("null", "null"),
)


def test_what_is_not_json_is_refused_wherever_it_stands(service: Service) -> None:
    assert refusals(service, corpus.WHOLE, NOT_JSON) == []


def test_what_is_no_count_is_refused(service: Service) -> None:
    assert refusals(service, corpus.COUNTS, NOT_COUNTS) == []


def test_what_is_no_latitude_is_refused(service: Service) -> None:
    assert refusals(service, corpus.DEGREES, NOT_DEGREES) == []


def test_what_is_no_longitude_is_refused(service: Service) -> None:
    door = Door("a report", "where.lon", report(where={"lat": 40.1, "lon": corpus.HOLE}))
    values = [Bad("181", "181"), Bad("-180.0000001", "-180.0000001"), Bad("true", "true")]
    assert refusals(service, [door], values) == []


def test_what_is_no_text_is_refused(service: Service) -> None:
    assert refusals(service, corpus.TEXTS, NOT_TEXT) == []


def test_characters_that_deceive_are_refused_in_names_and_codes(service: Service) -> None:
    assert refusals(service, corpus.CODES, NOT_CODES) == []


def test_what_is_no_date_is_refused(service: Service) -> None:
    # A tally may speak of a span that is still running, so the future is no error there.
    reports = [d for d in corpus.MOMENTS if d.path == "/v1/reports" and d.field == "when"]
    assert refusals(service, reports, NOT_MOMENTS) == []
    others = [d for d in corpus.MOMENTS if d not in reports]
    optional = ("more than 24 hours ahead", "null")
    assert refusals(service, others, [b for b in NOT_MOMENTS if b.name not in optional]) == []


def test_what_is_said_to_be_reported_in_the_future_is_refused(service: Service) -> None:
    doors = [d for d in corpus.MOMENTS if d.field in ("reported", "sources.0.published")]
    assert refusals(service, doors, [Bad("tomorrow", '"2022-10-02T12:00:01Z"')]) == []


ONE_SIDED = (
    Door("lat alone", "where", report(where={"lat": corpus.HOLE})),
    Door("lon alone", "where", report(where={"lon": corpus.HOLE})),
)
NO_WEB_ADDRESSES = {
    "for scripts": f"javascript:alert('{MARK}')",
    "without a scheme": f"//{MARK}.example",
    "without a host": f"https:///{MARK}",
    "with a user": f"https://{MARK}:secret@example.org/",
    "of markup": f"https://{MARK} example.org<script>/",
    "that is broken": f"https://[{MARK}",
}
FIXED = (
    Door("no place", "where", report(where={"precision": "exact"})),
    Door("an unknown stance", "stance", report(stance=MARK)),
    Door("an unknown precision", "where.precision", report(where={"precision": MARK})),
    Door("an unknown group", "casualties.0.group", report(casualties=[{"group": MARK}])),
    Door("an unknown zone", "when", report(when="2022-08-03T14:30", timezone="Mars/Utopia")),
    Door("a path for a zone", "when", report(when="2022-08-03T14:30", timezone="../../etc/passwd")),
    Door("an id that is none", "id", report(id=f"{MARK}{'0' * (36 - len(MARK))}")),
    Door("the nil UUID", "id", report(id="00000000-0000-0000-0000-000000000000")),
    Door("a UUID in braces", "id", report(id="{01985f0e8a5c7c3e9d2a0f6b7c8d9e10}  ")),
    *(
        Door(
            f"an address {name}",
            "sources.0.url",
            report(sources=[{"title": "Statement", "url": address}]),
        )
        for name, address in NO_WEB_ADDRESSES.items()
    ),
    Door("a denial of nothing", "", report(stance="denies")),
    Door("about both", "about", report(about={})),
    Door("51 weapons", "weapons", report(weapons=["mine"] * 51)),
    Door("51 casualty lines", "casualties", report(casualties=[{"killed": 1}] * 51)),
    Door("a count twice", "casualties.1.killed", report(casualties=[{"killed": 1}] * 2)),
    Door("no calibre", "weapons.0.calibre_mm", report(weapons=[{"weapon": "x", "calibre_mm": 0}])),
    Door("an unknown unit", "unit", tally(unit=MARK), "/v1/tallies"),
    Door("a tally that ends first", "", tally(to="2022-07-31T00:00Z"), "/v1/tallies"),
    Door("a tally of no time", "", tally(to="2022-08-01T00:00+04:00"), "/v1/tallies"),
    Door("a tally from a day", "from", tally(**{"from": "2022-08-01"}), "/v1/tallies"),
    Door("no sectors", "sectors", coverage(sectors=[]), "/v1/coverage"),
    Door("an unknown sector", "sectors.0", coverage(sectors=[MARK]), "/v1/coverage"),
    Door("an unknown access", "access", coverage(access=MARK), "/v1/coverage"),
    Door("coverage that ends first", "", coverage(to="2022-07-31T00:00Z"), "/v1/coverage"),
)


def test_half_a_position_is_refused(service: Service) -> None:
    assert refusals(service, ONE_SIDED, [Bad("one side", "40.1")]) == []


def test_what_breaks_a_rule_is_refused_by_name(service: Service) -> None:
    before = service.state()
    wrong = {
        door.name: found
        for door in FIXED
        if (found := corpus.flaws(door.send(service, door.text()), 422, {door.field}))
    }
    assert wrong == {}
    assert service.state() == before
