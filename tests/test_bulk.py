"""Files of reports: one outcome each, and an account that adds up."""

import json
from typing import Any

import pytest

from tests.happenings import as_rows
from tests.harness import Service
from tests.oracle import everything
from tests.reckoning import Json

NDJSON, CSV = "application/x-ndjson", "text/csv"
HEADER = "ref,when,where.sector,claimant,casualties.party,casualties.killed"


def report(number: int, **more: Any) -> Json:
    return {
        "id": f"0199aaaa-0000-7000-8000-{number:012x}",
        "when": f"2022-09-{number % 28 + 1:02}",
        "where": {"sector": "armenia-azerbaijan-border"},
        "claimant": "a feed",
        "casualties": [{"party": "armenia", "killed": number % 5}],
        **more,
    }


def send(service: Service, content: str | bytes, media: str, **asked: str) -> Any:
    return service.client.post(
        "/v1/reports/bulk",
        content=content,
        params=asked,
        headers=service.headers(**{"Content-Type": media}),
    )


def upload(service: Service, content: str | bytes, media: str) -> tuple[list[Json], Json]:
    """The outcomes and the account, which adds up."""
    answer = send(service, content, media)
    assert answer.status_code == 200, answer.text
    *outcomes, last = map(json.loads, answer.text.splitlines())
    account = last["summary"]
    assert account["read"] == len(outcomes)
    for outcome in ("created", "unchanged", "rejected"):
        assert account[outcome] == sum(o["outcome"] == outcome for o in outcomes)
    return outcomes, account


def lines(*reports: Any) -> str:
    return "\n".join(each if isinstance(each, str) else json.dumps(each) for each in reports)


def told(outcomes: list[Json]) -> list[tuple[int, str]]:
    return [(outcome["line"], outcome["outcome"]) for outcome in outcomes]


def stored(service: Service) -> int:
    return sum(1 for _ in everything(service, "/v1/reports"))


def test_what_is_sound_is_stored_and_the_rest_is_told_line_by_line(service: Service) -> None:
    content = lines(
        report(1),
        "",
        "{not json",
        report(2, when="never"),
        "   ",
        report(3, colour="red"),
        report(1),
        report(1, summary="other"),
        report(4),
    )
    outcomes, _ = upload(service, content, NDJSON)
    assert told(outcomes) == [
        (1, "created"),
        (3, "rejected"),
        (4, "rejected"),
        (6, "rejected"),
        (7, "unchanged"),
        (8, "rejected"),
        (9, "created"),
    ]
    assert [o["errors"][0]["field"] for o in outcomes if o.get("errors")] == ["", "when", "colour"]
    assert "red" not in json.dumps(outcomes)
    assert stored(service) == 2
    first = service.get(f"/v1/reports/{outcomes[0]['id']}")
    assert outcomes[0]["incident"] == first["incident"]
    assert service.wrong_accounts() == []


def test_all_or_nothing_stores_nothing_if_one_is_unsound(service: Service) -> None:
    before = service.state()
    content = lines(report(1), report(2, when="never"), report(3))
    answer = send(service, content, NDJSON, atomic="true")
    assert answer.status_code == 422
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    problem = answer.json()
    assert [o["outcome"] for o in problem["outcomes"]] == ["acceptable", "rejected", "acceptable"]
    assert [o["line"] for o in problem["outcomes"]] == [1, 2, 3]
    account = {"read": 3, "created": 0, "unchanged": 0, "rejected": 1, "acceptable": 2}
    assert problem["summary"] == account
    assert service.state() == before


def test_all_or_nothing_stores_all_if_all_are_sound(service: Service) -> None:
    answer = send(service, lines(report(1), report(2)), NDJSON, atomic="true")
    assert answer.status_code == 200
    assert '"created":2' in answer.text
    assert stored(service) == 2


@pytest.mark.parametrize("media", [NDJSON, CSV])
def test_the_same_file_twice_changes_nothing_and_says_so(service: Service, media: str) -> None:
    reports = [report(number) for number in range(12)]
    content = lines(*reports) if media == NDJSON else as_rows(reports).replace("ref,", "note,", 1)
    if media == CSV:
        content = "\r\n".join(row.partition(",")[2] for row in content.splitlines())
    first, account = upload(service, content, media)
    assert account["created"] == 12
    before = service.state()
    service.clock.advance(days=3)
    again, account = upload(service, content, media)
    assert account["unchanged"] == 12
    assert [o | {"outcome": "created"} for o in again] == first
    assert service.state() == before
    assert send(service, content, media, atomic="true").status_code == 200
    assert service.state() == before


def test_rows_of_one_ref_make_one_report(service: Service) -> None:
    content = "\r\n".join(
        [
            HEADER,
            "a,2022-09-01,rear,a feed,armenia,2",
            "a,2022-09-01,rear,a feed,azerbaijan,3",
            "b,2022-09-02,rear,a feed,,",
            ",2022-09-03,rear,a feed,armenia,1",
            ",2022-09-03,rear,a feed,armenia,1",
        ]
    )
    outcomes, _ = upload(service, content, CSV)
    assert told(outcomes) == [(2, "created"), (4, "created"), (5, "created"), (6, "created")]
    two = service.get(f"/v1/reports/{outcomes[0]['id']}")["casualties"]
    assert [(c["party"], c["killed"]["best"]) for c in two] == [("armenia", 2), ("azerbaijan", 3)]


def test_rows_of_one_ref_that_stand_apart_or_differ_are_refused(service: Service) -> None:
    content = "\n".join(
        [
            HEADER,
            "a,2022-09-01,rear,a feed,armenia,2",
            "b,2022-09-02,rear,a feed,,",
            "a,2022-09-01,rear,a feed,azerbaijan,3",
            "c,2022-09-01,rear,a feed,armenia,1",
            "c,2022-09-02,rear,a feed,azerbaijan,1",
            "d,2022-09-03,rear,a feed",
            "e,2022-09-03,rear,a feed,armenia,two",
        ]
    )
    outcomes, _ = upload(service, content, CSV)
    assert told(outcomes) == [
        (2, "created"),
        (3, "created"),
        (4, "rejected"),
        (5, "rejected"),
        (7, "rejected"),
        (8, "rejected"),
    ]
    fields = [o["errors"][0]["field"] for o in outcomes if o["outcome"] == "rejected"]
    assert fields[:2] == ["ref", "when"]
    assert fields[3] == "casualties.killed"


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_are_no_matter(
    service: Service,
) -> None:
    rows = [HEADER, "", "a,2022-09-01,rear,a feed,armenia,2", ",,,,,", "b,2022-09-02,rear,x,,", ""]
    outcomes, _ = upload(service, b"\xef\xbb\xbf" + "\r\n".join(rows).encode(), CSV)
    assert told(outcomes) == [(3, "created"), (5, "created")]
    content = b"\xef\xbb\xbf" + lines(report(1), "", report(2)).replace("\n", "\r\n").encode()
    outcomes, _ = upload(service, content, NDJSON)
    assert told(outcomes) == [(1, "created"), (3, "created")]


def test_a_cell_over_several_lines_keeps_its_line_numbers_right(service: Service) -> None:
    content = (
        "when,where.sector,claimant,summary\n"
        '2022-09-01,rear,a feed,"first\nsecond\n\nfourth"\n'
        "2022-09-02,rear,a feed,plain\n"
    )
    outcomes, _ = upload(service, content, CSV)
    assert told(outcomes) == [(2, "created"), (6, "created")]
    shown = service.get(f"/v1/reports/{outcomes[0]['id']}")
    assert shown["summary"] == "first\nsecond\n\nfourth"


def test_a_quote_that_is_not_closed_swallows_nothing(service: Service) -> None:
    content = "\n".join(
        ["when,where.sector,claimant,summary", "2022-09-01,rear,a feed,fine"]
        + ['2022-09-02,rear,a feed,"never closed']
        + [f"2022-09-{n:02},rear,a feed,after" for n in range(3, 20)]
    )
    outcomes, account = upload(service, content, CSV)
    assert (account["created"], account["rejected"]) == (1, 1)
    assert outcomes[-1]["outcome"] == "rejected"
    assert outcomes[-1]["line"] == 3
    assert stored(service) == 1


@pytest.mark.parametrize(
    "header",
    [
        "when,where.sector,claimant,colour",
        "when,when,claimant",
        "date,claimant",
        "when;where.sector;claimant",
        "",
    ],
)
def test_a_header_that_cannot_be_used_refuses_the_whole_file(service: Service, header: str) -> None:
    before = service.state()
    answer = send(service, f"{header}\n2022-09-01,rear,a feed,x\n", CSV)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "line 1"
    assert service.state() == before


def test_a_line_of_a_megabyte_is_refused_and_the_next_one_read(service: Service) -> None:
    content = lines(report(1), report(2, summary="x" * 1_000_000), report(3))
    outcomes, _ = upload(service, content, NDJSON)
    assert told(outcomes) == [(1, "created"), (2, "rejected"), (3, "created")]


def test_a_csv_line_of_a_megabyte_is_refused(service: Service) -> None:
    rows = ["when,where.sector,claimant,summary", "2022-09-01,rear,a feed,fine"]
    content = "\n".join([*rows, f"2022-09-02,rear,a feed,{'x' * 1_000_000}"])
    outcomes, _ = upload(service, content, CSV)
    assert told(outcomes) == [(2, "created"), (3, "rejected")]


def test_bytes_that_are_not_utf_8_are_refused_with_their_line(service: Service) -> None:
    content = lines(report(1)).encode() + b"\n" + '{"when": "Шуша"}'.encode("cp1251") + b"\n"
    outcomes, _ = upload(service, content + lines(report(2)).encode(), NDJSON)
    assert told(outcomes) == [(1, "created"), (2, "rejected"), (3, "created")]


@pytest.mark.parametrize("media", [NDJSON, CSV])
def test_an_empty_file_holds_no_report(service: Service, media: str) -> None:
    content = "" if media == NDJSON else "when,claimant\n"
    outcomes, account = upload(service, content, media)
    assert outcomes == []
    assert account == {"read": 0, "created": 0, "unchanged": 0, "rejected": 0}


def test_the_template_is_taken_as_it_is(service: Service) -> None:
    template = service.client.get("/v1/reports/template").text
    _, account = upload(service, template, CSV)
    assert account["read"] == 0


def test_json_lines_and_csv_of_the_same_reports_say_the_same(service: Service) -> None:
    reports = [
        report(1, weapons=["mortar", "sniper-rifle"], attributed_to="azerbaijan"),
        report(2, casualties=[{"killed": {"low": 3, "high": 9}, "wounded": {"words": "dozens"}}]),
        report(3, where={"lat": 39.6, "lon": 46.5, "precision": "district"}, stance="corrects"),
        report(4, casualties=[{"party": "armenia"}, {"group": "civilian", "missing": {"low": 1}}]),
    ]
    outcomes, _ = upload(service, lines(*reports), NDJSON)
    seconds = [{k: v for k, v in each.items() if k != "id"} for each in reports]
    others, _ = upload(service, as_rows(seconds), CSV)
    for one, other in zip(outcomes, others, strict=True):
        shown, again = (service.get(f"/v1/reports/{each['id']}") for each in (one, other))
        for name in ("when", "where", "weapons", "stance", "attributed_to", "sources", "unmapped"):
            assert shown[name] == again[name]
        assert [c for c in shown["casualties"] if len(c) > 2] == [
            c for c in again["casualties"] if len(c) > 2
        ]
