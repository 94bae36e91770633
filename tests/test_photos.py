"""Photos: what comes is kept as it came, and nobody is shown more of it than pixels."""

import struct
import threading
from contextlib import closing
from datetime import datetime, time
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from service.domain.access import ANYBODY, Role
from service.domain.photos import LONGEST_SIDE, MOST_OF_A_REPORT
from service.errors import Invalid
from service.formats import photos as formats
from service.formats.packages import Audience
from service.formats.packed import opened
from service.store import photos as store
from service.store import tables
from service.store.database import Database
from service.store.journal import Author, fact_of
from service.work import erasure, ledger, packages, photos, verify
from tests.harness import NOW, Databases, Service
from tests.pictures import bomb, jpeg, pixels, png, post, sent, sha256, webp
from tests.processes import command

SECRET = "zqsecretqz"
REPORT = {"when": "2022-08-03", "where": {"place": "Lachin"}, "claimant": "residents"}
READERS = tuple(Role)
MOST = 40_000_000
Json = dict[str, Any]


def told(service: Service, role: Role = Role.IMPORTER, **more: Any) -> str:
    """The id of a report that is public as a whole."""
    shown = {"disclosure": {"visibility": "public", "place": "exact"}}
    return str(service.post({**REPORT, **shown, **more}, role)["id"])


def decide(
    service: Service, photo_id: str, step: str = "release", role: Role = Role.REVIEWER
) -> Any:
    return service.client.post(
        f"/v1/photos/{photo_id}/{step}",
        json={"reason": "Nobody can be made out."},
        headers=service.headers(role),
    )


def image(service: Service, photo_id: str, role: Role = Role.ANONYMOUS) -> Any:
    return service.client.get(f"/v1/photos/{photo_id}", headers=service.headers(role))


def listed(service: Service, report_id: str, role: Role = Role.ANONYMOUS, **asked: str) -> Any:
    return service.get(f"/v1/reports/{report_id}/photos", role, **asked)["items"]


def original(service: Service, photo_id: str, role: Role = Role.REVIEWER) -> Any:
    return service.client.get(f"/v1/photos/{photo_id}/original", headers=service.headers(role))


def viewers(service: Service, photo_id: str) -> set[Role]:
    return {role for role in READERS if image(service, photo_id, role).status_code == 200}


def broken(service: Service) -> list[str]:
    ledger.catch_up(service.database)
    with service.database.reading() as session:
        return list(verify.broken(session))


def feed(service: Service, role: Role, path: str = "/v1/changes") -> list[Json]:
    """All that changed, as somebody is told of it."""
    ledger.catch_up(service.database)
    items: list[Json] = []
    while page := service.get(path, role, after=len(items), limit=500)["items"]:
        items += page
    return items


def recorded(service: Service, kind: str) -> list[tuple[str, Json]]:
    """Who recorded what of a kind, oldest first."""
    revision = tables.Revision
    select = sa.select(revision).where(revision.kind == kind).order_by(revision.sequence)
    with service.database.reading() as session:
        return [(row.actor, fact_of(row).content) for row in session.scalars(select)]


def segments(content: bytes) -> list[tuple[int, bytes]]:
    """The segments of a JPEG before its pixels: their markers and what they hold."""
    at, found = 2, []
    while content[at + 1] != 0xDA:
        [length] = struct.unpack(">H", content[at + 2 : at + 4])
        found.append((content[at + 1], content[at + 4 : at + 2 + length]))
        at += 2 + length
    return found


# What is taken.


def test_a_photo_is_acknowledged_with_what_was_received(service: Service) -> None:
    report_id, content = told(service), jpeg(size=(300, 200))
    answer = post(service, report_id, content)
    assert answer.status_code == 201
    receipt = answer.json()
    assert answer.headers["location"] == f"/v1/photos/{receipt['id']}"
    assert (receipt["report"], receipt["sha256"]) == (report_id, sha256(content))
    assert (receipt["media_type"], receipt["size"]) == ("image/jpeg", len(content))
    assert (receipt["width"], receipt["height"]) == (300, 200)
    copy = image(service, receipt["id"], Role.REVIEWER)
    assert receipt["copy_sha256"] == sha256(copy.content)
    ledger.catch_up(service.database)
    proof = service.get("/v1/ledger/inclusion", leaf=receipt["leaf"], size=size_of(service))
    assert proof["position"] == size_of(service) - 1


def size_of(service: Service) -> int:
    with service.database.reading() as session:
        return ledger.size_of(session)


def test_the_same_photo_is_kept_once_and_answered_with_the_first_receipt(service: Service) -> None:
    report_id, content = told(service), jpeg()
    first = sent(service, report_id, content)
    before = service.state()
    again = post(service, report_id, content)
    assert (again.status_code, again.json()) == (200, first)
    assert again.headers["idempotency-replayed"] == "true"
    assert service.state() == before
    # Another report has it by itself.
    assert sent(service, told(service, when="2022-08-09"), content)["id"] != first["id"]


def test_what_was_received_is_acknowledged_again_after_the_report_was_withdrawn(
    service: Service,
) -> None:
    report = service.post(REPORT)
    first = sent(service, report["id"], jpeg())
    service.change(report, status="withdrawn")
    again = post(service, report["id"], jpeg())
    assert (again.status_code, again.json()) == (200, first)
    assert post(service, report["id"], png()).status_code == 409


def test_a_photo_that_is_sent_by_several_at_once_is_kept_once(service: Service) -> None:
    report_id, content = told(service), jpeg()
    answers: list[Any] = []
    senders = [
        threading.Thread(target=lambda: answers.append(post(service, report_id, content)))
        for _ in range(4)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.text for answer in answers}) == 1
    assert len(recorded(service, "photo")) == 1


@pytest.mark.parametrize(
    ("content", "media"),
    [(jpeg(), "image/jpeg"), (png(), "image/png"), (webp(), "image/webp")],
    ids=["jpeg", "png", "webp"],
)
def test_what_it_is_follows_from_its_bytes_whatever_it_is_called(
    service: Service, content: bytes, media: str
) -> None:
    report_id = told(service)
    answer = post(service, report_id, content, media="image/png")
    assert (answer.status_code, answer.json()["media_type"]) == (201, media)
    came = original(service, answer.json()["id"])
    assert came.headers["content-type"] == media
    assert image(service, answer.json()["id"], Role.ADMIN).headers["content-type"] == "image/jpeg"


REFUSED = {
    "truncated": (jpeg(size=(800, 600))[:-4_000], 422),
    "empty": (b"", 422),
    "a page": (b"<!doctype html><script>alert(1)</script>", 422),
    "a drawing": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', 422),
    "a page behind a beginning": (b"\xff\xd8\xff\xe0<script>alert(1)</script>", 422),
    "another kind": (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", 422),
    "too many pixels": (bomb(), 422),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_whole_image_is_refused_and_leaves_nothing(service: Service, name: str) -> None:
    content, status = REFUSED[name]
    report_id = told(service)
    before = service.state()
    answer = post(service, report_id, content)
    assert answer.status_code == status, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == ["body"]
    assert "script" not in answer.text
    assert service.state() == before


def test_a_hash_that_is_not_that_of_the_body_is_refused(service: Service) -> None:
    report_id, content = told(service), jpeg()
    before = service.state()
    for wrong in (sha256(png()), "0" * 63, sha256(content).upper(), ""):
        answer = post(service, report_id, content, params={"sha256": wrong})
        assert answer.status_code == 422, answer.text
        assert [error["field"] for error in answer.json()["errors"]] == ["sha256"]
    # Nor does the hash of one that is known bring a receipt for another one.
    receipt = sent(service, report_id, content)
    answer = post(service, report_id, png(), params={"sha256": receipt["sha256"]})
    assert answer.status_code == 422
    assert before != service.state()
    assert len(listed(service, report_id, Role.REVIEWER)) == 1


@pytest.mark.parametrize(
    "media", ["image/gif", "image/svg+xml", "text/html", "multipart/form-data", "application/json"]
)
def test_other_kinds_are_not_read(service: Service, media: str) -> None:
    assert post(service, told(service), jpeg(), media=media).status_code == 415


def test_a_photo_may_be_as_large_as_is_allowed(databases: Databases, backend: str) -> None:
    content = jpeg()
    with databases.fresh(backend, "reference") as url:
        service = Service(
            url, settings={"max_photo_bytes": len(content), "max_photo_pixels": 120 * 80}
        )
        try:
            report_id = told(service)
            assert post(service, report_id, content).status_code == 201
            assert post(service, report_id, content + b"\0").status_code == 413
            assert post(service, report_id, jpeg(size=(121, 80), quality=5)).status_code == 422
        finally:
            service.close()


def test_a_report_has_only_so_many_photos(service: Service) -> None:
    report_id = told(service)
    receipts = [sent(service, report_id, jpeg(str(n))) for n in range(MOST_OF_A_REPORT)]
    answer = post(service, report_id, png())
    assert (answer.status_code, "at most 12" in answer.json()["detail"]) == (409, True)
    # Those that are known are still acknowledged.
    assert post(service, report_id, jpeg("0")).json() == receipts[0]


def test_who_may_not_send_for_a_report_may_send_no_photo_of_it(service: Service) -> None:
    public, own = told(service), told(service, Role.MONITOR, when="2022-09-09")
    hidden = service.post({**REPORT, "disclosure": {"visibility": "restricted"}})["id"]
    answers = {
        (report, role): post(service, report, jpeg(), role).status_code
        for report in (public, own, hidden)
        for role in READERS
    }
    expected = {
        # Its importer sends for the first, the monitor for the second.
        public: {Role.IMPORTER: 201, Role.MONITOR: 403},
        own: {Role.MONITOR: 201, Role.IMPORTER: 403},
        hidden: {Role.IMPORTER: 201, Role.MONITOR: 404},
    }
    for report, by_role in expected.items():
        outcome = {role: answers[report, role] for role in READERS}
        assert outcome[Role.ANONYMOUS] == 401
        assert outcome[Role.PARTNER] == 403
        assert {role: outcome[role] for role in by_role} == by_role
        # It was there already, or it is now.
        assert outcome[Role.REVIEWER] in (200, 201)
        assert outcome[Role.ADMIN] == 200


def test_of_when_a_monitor_sends_only_the_day_is_kept(service: Service) -> None:
    report_id = told(service, Role.MONITOR)
    receipt = sent(service, report_id, jpeg(), Role.MONITOR)
    day = datetime.fromisoformat(receipt["received_at"]).astimezone(ZoneInfo("Asia/Yerevan"))
    assert (day.date(), day.time()) == (NOW.date(), time())


# What is shown.


@pytest.mark.parametrize("content", [jpeg(SECRET), png(SECRET), png(SECRET, "RGBA"), webp(SECRET)])
def test_the_copy_holds_pixels_and_nothing_else(content: bytes) -> None:
    assert b"2022:09:30" in content or SECRET.encode() in content or b"iTXt" in content
    came, copy = formats.read(content, MOST)
    assert came.content == content
    # JFIF, quantisation, frame and Huffman tables: no EXIF, XMP, IPTC, profile or comment.
    assert {marker for marker, _ in segments(copy.content)} <= {0xE0, 0xDB, 0xC0, 0xC4}
    [jfif] = [held for marker, held in segments(copy.content) if marker == 0xE0]
    assert (jfif[:5], len(jfif)) == (b"JFIF\0", 14)
    assert SECRET.encode() not in copy.content
    assert copy.content.endswith(b"\xff\xd9")
    with Image.open(BytesIO(copy.content)) as shown:
        assert dict(shown.getexif()) == {}
        assert not {"exif", "xmp", "comment", "icc_profile"} & {*shown.info}
        assert shown.size == (copy.width, copy.height) == (120, 80)


@pytest.mark.parametrize(
    ("orientation", "red"),
    [
        *((1, "left"), (2, "right"), (3, "right"), (4, "left")),
        *((5, "top"), (6, "top"), (7, "bottom"), (8, "bottom")),
    ],
)
def test_the_copy_stands_upright(orientation: int, red: str) -> None:
    came, copy = formats.read(jpeg(orientation=orientation), MOST)
    assert (came.width, came.height) == (120, 80)
    with Image.open(BytesIO(copy.content)) as shown:
        assert shown.size == ((120, 80) if orientation < 5 else (80, 120))
        width, height = shown.size
        middle = {
            "left": (width // 4, height // 2),
            "right": (3 * width // 4, height // 2),
            "top": (width // 2, height // 4),
            "bottom": (width // 2, 3 * height // 4),
        }
        reddish = {
            side
            for side, at in middle.items()
            if shown.getpixel(at)[0] > 150  # type: ignore[index]
        }
    assert red in reddish
    assert len(reddish & {"left", "right"}) <= 1 or len(reddish & {"top", "bottom"}) <= 1


def test_a_large_photo_is_made_smaller_and_keeps_its_shape() -> None:
    came, copy = formats.read(jpeg(size=(4000, 1000), orientation=6), MOST)
    assert (came.width, came.height) == (4000, 1000)
    assert (copy.width, copy.height) == (LONGEST_SIDE // 4, LONGEST_SIDE)


def test_what_is_transparent_is_white() -> None:
    clear = Image.new("RGBA", (10, 10), (255, 0, 0, 0))
    out = BytesIO()
    clear.save(out, "PNG")
    _, copy = formats.read(out.getvalue(), MOST)
    with Image.open(BytesIO(copy.content)) as shown:
        assert shown.getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16"])
def test_every_way_to_write_colours_can_be_copied(mode: str) -> None:
    out = BytesIO()
    Image.new(mode, (20, 10)).save(out, "JPEG" if mode == "CMYK" else "PNG")
    _, copy = formats.read(out.getvalue(), MOST)
    assert (copy.width, copy.height) == (20, 10)


def test_a_photo_with_a_second_image_in_it_is_shown_as_its_first() -> None:
    out = BytesIO()
    pixels().save(out, "MPO", save_all=True, append_images=[pixels(60, 40)])
    came, copy = formats.read(out.getvalue(), MOST)
    assert came.media_type == "image/jpeg"
    assert (copy.width, copy.height) == (120, 80)
    assert {marker for marker, _ in segments(copy.content)} <= {0xE0, 0xDB, 0xC0, 0xC4}


def test_an_image_of_endless_passes_is_refused_unread() -> None:
    content = jpeg(progressive=True)
    start = content.index(b"\xff\xda")
    with pytest.raises(Invalid):
        formats.read(content[:start] + content[start:-2] * 200, MOST)


SAMPLES = [jpeg(), jpeg(progressive=True), png(), webp()]


# What the library makes of broken metadata is its own business.
@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 2_000), st.binary(min_size=1, max_size=4)), max_size=6),
    st.none() | st.integers(0, 2_000),
)
def test_whatever_bytes_come_they_are_read_or_refused(
    content: bytes, changes: list[tuple[int, bytes]], cut: int | None
) -> None:
    changed = bytearray(content)
    for at, put in changes:
        changed[at : at + len(put)] = put
    try:
        came, copy = formats.read(bytes(changed[:cut]), 1_000_000)
    except Invalid:
        return
    assert came.width * came.height <= 1_000_000
    assert max(copy.width, copy.height) <= LONGEST_SIDE


def test_before_a_reviewer_releases_a_copy_nobody_else_learns_that_there_is_one(
    service: Service,
) -> None:
    report_id = told(service, Role.MONITOR)
    without = told(service, Role.MONITOR, when="2022-09-09")
    before = {role: service.get(f"/v1/reports/{report_id}", role) for role in READERS}
    photo_id = sent(service, report_id, jpeg(), Role.MONITOR)["id"]
    assert viewers(service, photo_id) == {Role.REVIEWER, Role.ADMIN}
    for role in set(READERS) - {Role.REVIEWER, Role.ADMIN}:
        assert listed(service, report_id, role) == listed(service, without, role) == []
        missing = image(service, "01985f0e-8a5c-7c3e-9d2a-0f6b7c8d9eff", role)
        assert image(service, photo_id, role).content == missing.content
        assert photo_id not in str(feed(service, role))
    assert {role: service.get(f"/v1/reports/{report_id}", role) for role in READERS} == before


def test_a_released_copy_is_shown_to_whoever_is_shown_the_whole_report(service: Service) -> None:
    everybody, insiders = set(READERS), {Role.REVIEWER, Role.ADMIN}
    monitor = Role.MONITOR
    for day, (disclosure, more, expected) in enumerate(
        [
            ({"visibility": "public", "place": "exact"}, {}, everybody),
            ({"visibility": "public", "place": "settlement"}, {}, insiders | {monitor}),
            ({"visibility": "public", "place": "grid"}, {}, insiders | {monitor}),
            (
                {"visibility": "partners", "place": "exact"},
                {},
                insiders | {monitor, Role.PARTNER},
            ),
            ({"visibility": "restricted", "place": "exact"}, {}, insiders | {monitor}),
            (
                {"visibility": "public", "place": "exact", "embargo": "2023-01-01T00:00Z"},
                {},
                insiders | {monitor},
            ),
            (
                {"visibility": "public", "place": "exact"},
                {"summary": "Ask Aram, +374 91 234 567 890."},
                insiders | {monitor},
            ),
        ],
        1,
    ):
        report_id = told(service, monitor, disclosure=disclosure, when=f"2022-08-{day:02}", **more)
        photo_id = sent(service, report_id, jpeg(), monitor)["id"]
        assert decide(service, photo_id).status_code == 200
        assert viewers(service, photo_id) == expected, disclosure
        for role in READERS:
            answer = service.client.get(
                f"/v1/reports/{report_id}/photos", headers=service.headers(role)
            )
            found = answer.json()["items"] if answer.status_code == 200 else []
            assert [each["id"] for each in found] == ([photo_id] if role in expected else [])
            assert all((each["original"] is None) == (role not in insiders) for each in found)
    assert broken(service) == []


def test_a_report_that_is_shown_to_fewer_takes_its_photos_along(service: Service) -> None:
    report = service.post({**REPORT, "disclosure": {"visibility": "public"}})
    photo_id = sent(service, report["id"], jpeg())["id"]
    decide(service, photo_id)
    [shown] = listed(service, report["id"])
    assert shown["visibility"] == "public"
    coarser = service.change(report, disclosure={"place": "grid"})
    assert listed(service, report["id"]) == []
    [shown] = listed(service, report["id"], Role.REVIEWER)
    assert (shown["released"], shown["visibility"]) == (True, "restricted")
    service.change(coarser, disclosure={"place": "exact"})
    assert len(listed(service, report["id"])) == 1
    assert broken(service) == []


def test_a_release_that_is_taken_back_counts_at_once_and_for_the_past(service: Service) -> None:
    report_id = told(service)
    photo_id = sent(service, report_id, jpeg())["id"]
    ledger.catch_up(service.database)
    unreleased = f"changes:{size_of(service)}"
    assert decide(service, photo_id).json()["released"] is True
    ledger.catch_up(service.database)
    released = f"changes:{size_of(service)}"
    assert listed(service, report_id, as_of=unreleased) == []
    assert len(listed(service, report_id, as_of=released)) == 1
    [then] = listed(service, report_id, Role.REVIEWER, as_of=unreleased)
    assert then["released"] is False
    told_now = decide(service, photo_id, "withdrawal").json()
    assert (told_now["released"], told_now["visibility"]) == (False, "restricted")
    assert viewers(service, photo_id) == {Role.REVIEWER, Role.ADMIN}
    assert listed(service, report_id, as_of=released) == []
    assert broken(service) == []


def test_a_browser_asks_again_each_time_whether_it_may_still_show_a_copy(service: Service) -> None:
    photo_id = sent(service, told(service, Role.MONITOR), jpeg(), Role.MONITOR)["id"]
    decide(service, photo_id)
    kept = {role: image(service, photo_id, role).headers["cache-control"] for role in READERS}
    assert kept[Role.ANONYMOUS] == "public, no-cache"
    assert kept[Role.PARTNER] == "private, no-cache"
    # A device may be taken from who carries it.
    assert kept[Role.MONITOR] == "no-store"
    shown = image(service, photo_id)
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in shown.headers["content-security-policy"]


def test_a_release_is_decided_once_and_by_somebody_else(service: Service) -> None:
    photo_id = sent(service, told(service), jpeg())["id"]
    assert decide(service, photo_id, "withdrawal").status_code == 409
    assert decide(service, photo_id).status_code == 200
    assert decide(service, photo_id).status_code == 409
    own = sent(service, told(service, Role.REVIEWER, when="2022-08-09"), jpeg(), Role.ADMIN)["id"]
    for role in (Role.REVIEWER, Role.ADMIN):
        refused = decide(service, own, role=role)
        assert (refused.status_code, "own" in refused.json()["detail"]) == (403, True)
    missing = service.client.post(
        f"/v1/photos/{photo_id}/release", json={}, headers=service.headers(Role.REVIEWER)
    )
    assert missing.status_code == 422


# The original.


def test_the_original_is_given_byte_for_byte_to_reviewers_alone(service: Service) -> None:
    content = jpeg(SECRET)
    photo_id = sent(service, told(service), content)["id"]
    decide(service, photo_id)
    came = original(service, photo_id)
    assert (came.status_code, came.content) == (200, content)
    assert came.headers["content-disposition"] == f'attachment; filename="{photo_id}.jpeg"'
    assert came.headers["cache-control"] == "no-store"
    for role in set(READERS) - {Role.REVIEWER, Role.ADMIN}:
        expected = 401 if role is Role.ANONYMOUS else 403
        assert original(service, photo_id, role).status_code == expected
        assert SECRET.encode() not in image(service, photo_id, role).content


def test_who_opens_an_original_is_recorded(service: Service) -> None:
    photo_id = sent(service, told(service), jpeg())["id"]
    original(service, photo_id)
    original(service, photo_id, Role.ADMIN)
    original(service, photo_id, Role.MONITOR)
    opened_by = recorded(service, "opening")
    assert opened_by == [(f"the {role}", {"photo": photo_id}) for role in ("reviewer", "admin")]
    assert [each["action"] for each in feed(service, Role.REVIEWER)].count("opened") == 2
    assert photo_id not in str(feed(service, Role.ANONYMOUS))
    assert broken(service) == []


def test_a_photo_larger_than_a_piece_comes_back_whole(service: Service) -> None:
    content = jpeg(size=(400, 300)) + bytes(range(256)) * 5_000
    photo_id = sent(service, told(service), content)["id"]
    assert original(service, photo_id).content == content
    assert broken(service) == []


# The record.


def feed_of(service: Service, role: Role) -> list[Json]:
    return [each for each in feed(service, role) if each.get("kind") == "photo"]


def test_changes_tell_of_a_release_and_that_it_was_taken_back(service: Service) -> None:
    report_id = told(service)
    photo_id = sent(service, report_id, jpeg())["id"]
    assert feed_of(service, Role.ANONYMOUS) == []
    decide(service, photo_id)
    [released] = feed_of(service, Role.ANONYMOUS)
    assert (released["action"], released["subject"]) == ("released", photo_id)
    assert released["reason"] == "Nobody can be made out."
    copy = released["content"]["copy"]
    assert copy["sha256"] == sha256(image(service, photo_id).content)
    assert {*released["content"]} == {"report", "released", "copy"}
    everything = [each["action"] for each in feed_of(service, Role.REVIEWER)]
    assert everything == ["created", "released"]
    decide(service, photo_id, "withdrawal")
    [withheld] = feed_of(service, Role.ANONYMOUS)
    assert {name: withheld[name] for name in ("action", "kind", "subject")} == {
        "action": "withheld",
        "kind": "photo",
        "subject": photo_id,
    }
    assert [each["action"] for each in feed_of(service, Role.REVIEWER)][-1] == "withdrawn"


def test_the_ledger_holds_the_hash_of_the_original_for_whoever_may_open_it(
    service: Service,
) -> None:
    content = jpeg()
    receipt = sent(service, told(service), content)
    decide(service, receipt["id"])

    def entries(role: Role) -> list[Json]:
        items = feed(service, role, "/v1/ledger/entries")
        return [each for each in items if '"kind":"photo"' in each.get("entry", "")]

    added, released = entries(Role.REVIEWER)
    assert added["sha256"] == receipt["leaf"]
    assert sha256(content) not in added["entry"]
    assert sha256(content) in added["openings"]["content.original"][1]
    [shown] = entries(Role.ANONYMOUS)
    assert shown["sha256"] == released["sha256"]
    # Whoever finds the photo with somebody could tell by its hash that they sent it.
    assert {*shown["openings"]} == {"reason", "content.copy"}
    assert sha256(content) not in str(shown)


@pytest.mark.parametrize("part", ["original", "copy"])
@pytest.mark.parametrize("what", ["changed", "gone", "more", "exchanged"])
def test_verify_finds_every_byte_that_is_not_what_came(
    service: Service, part: str, what: str
) -> None:
    first = sent(service, told(service), jpeg() + bytes(1_500_000))["id"]
    second = sent(service, told(service, when="2022-08-09"), png())["id"]
    assert broken(service) == []
    piece = tables.PhotoPiece.__table__
    of_first = (piece.c.photo_id == first) & (piece.c.part == part)
    with service.database.engine.begin() as connection:
        content = connection.scalar(
            sa.select(piece.c.content).where(of_first, piece.c.position == 0)
        )
        assert content is not None
        match what:
            case "changed":
                changed = content[:-1] + bytes([content[-1] ^ 1])
                connection.execute(sa.update(piece).where(of_first).values(content=changed))
            case "gone":
                last = piece.c.position == (1 if part == "original" else 0)
                connection.execute(sa.delete(piece).where(of_first, last))
            case "more":
                connection.execute(
                    sa.insert(piece).values(photo_id=first, part=part, position=7, content=b"x")
                )
            case "exchanged":
                of_second = (piece.c.photo_id == second) & (piece.c.part == part)
                connection.execute(
                    sa.update(piece).where(of_first, piece.c.position == 0).values(content=b"x")
                )
                connection.execute(sa.update(piece).where(of_second).values(content=content))
    found = broken(service)
    assert any(line.startswith(f"photo_pieces {first}/{part}") for line in found), found
    assert (what == "exchanged") == any(second in line for line in found)


def test_a_photo_can_be_erased_and_the_ledger_holds(service: Service) -> None:
    report_id, content = told(service), jpeg(SECRET)
    photo_id = sent(service, report_id, content)["id"]
    decide(service, photo_id)
    ledger.catch_up(service.database)
    then = f"changes:{size_of(service)}"
    author = Author("operator", NOW)
    service.database.write(lambda s: erasure.erase_photo(s, photo_id, "It shows a child.", author))
    assert broken(service) == []
    for role in READERS:
        assert image(service, photo_id, role).status_code == 404
    assert original(service, photo_id).status_code == 404
    assert listed(service, report_id) == []
    assert listed(service, report_id, as_of=then) == []
    [left] = listed(service, report_id, Role.REVIEWER)
    assert (left["image"], left["original"], left["received"]) == (None, None, None)
    assert decide(service, photo_id).status_code == 409
    with service.database.reading() as session:
        kept = str(
            [
                row
                for table in tables.metadata.sorted_tables
                for row in session.execute(sa.select(table)).all()
            ]
        )
    assert sha256(content) not in kept
    assert SECRET not in kept
    assert "Nobody can be made out" not in kept
    # It makes room for another, and nothing tells that this one was there.
    assert post(service, report_id, content).status_code == 201


def test_erased_by_an_operator_a_photo_is_not_on_the_disk_any_more(databases: Databases) -> None:
    with databases.fresh("sqlite", "reference") as url:
        service = Service(url)
        photo_id = sent(service, told(service), jpeg(SECRET) + b"\0" * 1_500_000)["id"]
        service.close()
        file = Path(url.removeprefix("sqlite:///"))
        assert SECRET.encode() in file.read_bytes()
        unknown = command("erase", "photo", "nothing", "--reason", "A mistake.", url=url)
        assert unknown.returncode == 1
        done = command("erase", "photo", photo_id, "--reason", "It shows a child.", url=url)
        assert (done.returncode, done.stderr) == (0, "")
        for each in file.parent.glob(f"{file.name}*"):
            assert SECRET.encode() not in each.read_bytes()
        assert command("verify", url=url).returncode == 0


def test_a_person_who_is_forgotten_is_gone_from_their_photos(service: Service) -> None:
    photo_id = sent(service, told(service, Role.MONITOR), jpeg(), Role.MONITOR)["id"]
    original(service, photo_id)
    author = Author("operator", NOW)
    for name in ("the monitor", "the reviewer"):
        service.database.write(lambda s, name=name: erasure.erase_person(s, name, author))
    assert [actor for kind in ("photo", "opening") for actor, _ in recorded(service, kind)] == [
        "erased",
        "erased",
    ]
    assert broken(service) == []


def test_a_whole_package_brings_photos_back_and_others_hold_none(
    service: Service, databases: Databases, backend: str, tmp_path: Path
) -> None:
    content = jpeg(SECRET)
    receipt = sent(service, told(service), content)
    decide(service, receipt["id"])
    ledger.catch_up(service.database)
    for audience in Audience:
        packages.write(service.database, tmp_path / audience, audience)
    for audience in (Audience.PUBLIC, Audience.PARTNERS):
        texts = [file.read_bytes() for file in (tmp_path / audience).rglob("*") if file.is_file()]
        for text in (receipt["sha256"], receipt["copy_sha256"], receipt["id"]):
            assert not any(text.encode() in each for each in texts)
    with (
        databases.fresh(backend, "nothing") as url,
        closing(Database(url)) as database,
        opened(tmp_path / Audience.EVERYTHING) as files,
    ):
        packages.take_back(database, files)
        with database.reading() as session:
            copy, _ = photos.copy_of(session, receipt["id"], ANYBODY)
            assert sha256(copy) == receipt["copy_sha256"]
            assert store.kept(session, receipt["id"], store.ORIGINAL) == content
            assert list(verify.broken(session)) == []
