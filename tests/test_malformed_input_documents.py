"""Bodies that are not what they say they are, and fields that nobody asked for."""

import gzip
import json
from typing import Any

from tests import corpus
from tests.corpus import COUNTS, MARK, NDJSON, WHOLE, Door, coverage, flaws, opened, report, tally
from tests.harness import Service

SOUND = json.dumps(report(casualties=[{"killed": 1}])).encode()


def refused(service: Service, tries: dict[str, Any], status: int, field: str | None = None) -> None:
    """Each answer must be a refusal with this status; nothing may be stored by any."""
    fields = None if field is None else {field}
    wrong = {
        name: found for name, answer in tries.items() if (found := flaws(answer, status, fields))
    }
    assert wrong == {}


def test_what_is_no_json_document_is_refused(service: Service) -> None:
    doors = [opened(service, door) for door in WHOLE]
    before = service.state()
    for door in doors:
        sound = door.text("1")
        documents = {
            "nothing": b"",
            "spaces": b"  \n",
            "a bracket behind": sound + b"}",
            "two documents": sound + sound,
            "a comma behind the last field": sound[:-1] + b",}",
            "no bracket at the end": sound[:-1],
            "NUL behind": sound + b"\0",
            "a form": f"summary={MARK}".encode(),
            "UTF-16": sound.decode().encode("utf-16"),
            "UTF-32": sound.decode().encode("utf-32"),
            "a byte that is no UTF-8": sound.replace(MARK.encode(), MARK.encode() + b"\xff"),
            "Latin-1": sound.replace(MARK.encode(), MARK.encode() + "Şuşa".encode("cp1254")),
            "an encoded surrogate": sound.replace(MARK.encode(), MARK.encode() + b"\xed\xa0\x80"),
            "an overlong slash": sound.replace(MARK.encode(), MARK.encode() + b"\xc0\xaf"),
            "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbf" + sound,
        }
        tries = {name: door.send(service, body) for name, body in documents.items()}
        refused(service, tries, 400)
    assert service.state() == before


def test_a_field_named_twice_is_refused_at_any_depth(service: Service) -> None:
    doors = [opened(service, door) for door in WHOLE]
    before = service.state()
    for door in doors:
        sound = door.text("1")
        tries = {"at the top": door.send(service, b'{"id": null, "id": null, ' + sound[1:])}
        if b"killed" in sound:
            twice = sound.replace(b'"killed": 1', b'"killed": 1, "killed": 999')
            tries["below"] = door.send(service, twice)
            escaped = sound.replace(b'"killed": 1', b'"killed": 1, "\\u006billed": 999')
            tries["written in another way"] = door.send(service, escaped)
        refused(service, tries, 400)
    assert service.state() == before


def test_what_is_no_object_is_refused(service: Service) -> None:
    doors = [opened(service, door) for door in WHOLE]
    before = service.state()
    for door in doors:
        values = (b"null", b"[]", b"1", b"true", f'"{MARK}"'.encode(), b"[" + door.text("1") + b"]")
        tries = {value.decode()[:20]: door.send(service, value) for value in values}
        refused(service, tries, 422, "")
    assert service.state() == before


def test_a_byte_order_mark_is_no_error(service: Service) -> None:
    answer = COUNTS[0].send(service, b"\xef\xbb\xbf" + SOUND)
    assert answer.status_code == 201


def test_32_objects_in_one_another_are_read_and_refused_by_name(service: Service) -> None:
    def nested(levels: int) -> Any:
        return COUNTS[0].send(service, COUNTS[0].text('{"a":' * levels + "1" + "}" * levels))

    # The count itself is the fourth level.
    assert flaws(nested(29), 422, {"casualties.0.killed.a"}) == []
    assert flaws(nested(30), 400) == []
    # Brackets in text open nothing.
    assert (
        COUNTS[0].send(service, json.dumps(report(summary="[{" * 200)).encode()).status_code == 201
    )


UNKNOWN = (
    *("verified", "status", "counted", "revision", "received_at", "flags", "sha256", "x_1"),
    *("clientIp", MARK, "", "__proto__", "a b", "Ａ", "x" * 100, "when\n", "\ud800", "\x00"),
)
INSIDE = ("where", "casualties.0", "casualties.0.killed", "sources.0", "about", "weapons.0")


def test_unknown_fields_are_refused_by_name_or_by_place(service: Service) -> None:
    doors = (
        Door("a report", "", report()),
        opened(service, Door("a change", "", corpus.change())),
        Door("a tally", "", tally(), "/v1/tallies"),
        Door("coverage", "", coverage(), "/v1/coverage"),
    )
    before = service.state()
    for door in doors:
        unknown = [n for n in UNKNOWN if door.name != "a change" or n != "status"]
        tries = {
            n: door.send(service, json.dumps({**door.body, n: MARK}).encode()) for n in unknown
        }
        refused(service, tries, 422)
        for name, answer in tries.items():
            harmless = name.isascii() and name.replace("_", "").isalnum() and name == name.lower()
            told = {e["field"] for e in answer.json()["errors"]}
            assert told == ({name} if harmless and len(name) <= 40 and name[0] != "_" else {""})
    assert service.state() == before


def test_unknown_fields_are_refused_at_any_depth(service: Service) -> None:
    whole = report(
        casualties=[{"killed": {"low": 1}}],
        sources=[{"title": MARK}],
        weapons=[{"weapon": "mine"}],
        about={"report": "01985f0e-8a5c-7c3e-9d2a-0f6b7c8d9e10"},
    )
    before = service.state()
    for path in INSIDE:
        body = json.loads(json.dumps(whole))
        inner: Any = body
        for part in path.split("."):
            inner = inner[int(part) if part.isdigit() else part]
        inner["verified"] = True
        answer = COUNTS[0].send(service, json.dumps(body).encode())
        assert flaws(answer, 422, {f"{path}.verified"}) == []
    assert service.state() == before


def test_bodies_of_another_or_no_type_are_refused(service: Service) -> None:
    doors = [opened(service, door) for door in WHOLE]
    before = service.state()
    types = (
        *("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
        *("application/json; charset=utf-16", "application/json; charset=latin-1", "text/json"),
        *("application/xml", "application/jsonp", MARK, NDJSON, "text/csv", "*/*"),
    )
    for door in doors:
        tries = {t: door.send(service, door.text("1"), **{"Content-Type": t}) for t in types}
        refused(service, tries, 415)
    bulk = {
        t: service.client.post(
            "/v1/reports/bulk", content=SOUND, headers=service.headers(**{"Content-Type": t})
        )
        for t in ("", "application/json", "text/plain", f"{NDJSON}; charset=utf-16")
    }
    refused(service, bulk, 415)
    assert service.state() == before


def test_the_type_may_be_written_in_any_case_and_name_utf_8(service: Service) -> None:
    for written in ("Application/JSON", 'application/json; charset="UTF-8"', "application/json;"):
        assert COUNTS[0].send(service, SOUND, **{"Content-Type": written}).status_code == 201


def test_compressed_bodies_are_refused(service: Service) -> None:
    doors = [opened(service, door) for door in WHOLE]
    before = service.state()
    for door in doors:
        tries = {
            coding: door.send(
                service, gzip.compress(door.text("1")), **{"Content-Encoding": coding}
            )
            for coding in ("gzip", "deflate", "br", "identity, gzip", MARK)
        }
        refused(service, tries, 415)
    headers = service.headers(**{"Content-Type": NDJSON, "Content-Encoding": "gzip"})
    bulk = service.client.post("/v1/reports/bulk", content=gzip.compress(SOUND), headers=headers)
    refused(service, {"bulk": bulk}, 415)
    assert service.state() == before


def test_long_text_is_refused_by_its_field_and_a_long_body_by_its_size(service: Service) -> None:
    before = service.state()
    long = json.dumps(report(summary=MARK + "x" * 100_000)).encode()
    assert flaws(COUNTS[0].send(service, long), 422, {"summary"}) == []
    longer = json.dumps(report(summary=MARK + "x" * 5_000_000)).encode()
    assert flaws(COUNTS[0].send(service, longer), 413) == []
    rejected = service.client.post(
        "/v1/reports/bulk",
        content=longer + b"\n",
        headers=service.headers(**{"Content-Type": NDJSON}),
    )
    told, account = (json.loads(line) for line in rejected.text.splitlines())
    assert (told["line"], told["outcome"], account["summary"]["rejected"]) == (1, "rejected", 1)
    assert MARK not in rejected.text
    assert service.state() == before


def test_a_good_line_behind_a_bad_one_is_still_taken(service: Service) -> None:
    lines = b"\n".join(
        (b"{", b'{"when": NaN}', b"[" * 100_000, b"x" * 300_000, SOUND, b"", b"\xff")
    )
    answer = service.client.post(
        "/v1/reports/bulk", content=lines, headers=service.headers(**{"Content-Type": NDJSON})
    )
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert told[-1]["summary"] == {"read": 6, "created": 1, "unchanged": 0, "rejected": 5}
    assert [(t["line"], t["outcome"]) for t in told[:-1]] == [
        *((line, "rejected") for line in (1, 2, 3, 4)),
        (5, "created"),
        (7, "rejected"),
    ]
    assert MARK not in answer.text
