"""The files of the page: what is in them, and how they are served."""

import hashlib
import json
import re
import struct
import tomllib
from pathlib import Path

import pytest

import service as package
from tests.harness import Service

PAGE = Path(package.__file__).parent / "page"
LANGUAGES = ("en", "ru", "hy", "az")
PARTS = sorted(path.name for path in (PAGE / "words" / "en").iterdir())
SCRIPTS = sorted((PAGE / "scripts").rglob("*.js"))
PLACEHOLDER = re.compile(r"\{(\w+)\}")
# A script by which each language is written; a sentence without any of it was not translated.
LETTERS = {"ru": re.compile("[А-Яа-яЁё]"), "hy": re.compile("[Ա-Ֆա-և]")}
SAME_EVERYWHERE = re.compile(
    r"[^A-Za-z]*|.*\b(API|CSV|PNG|SVG|XLSX|GeoJSON|Parquet|SHA-256|ID)\b.*"
)


@pytest.fixture
def backend() -> str:
    return "sqlite"


def words(language: str, part: str) -> dict[str, str | dict[str, str]]:
    return json.loads((PAGE / "words" / language / part).read_text())


def texts(value: str | dict[str, str]) -> list[str]:
    return [value] if isinstance(value, str) else [*value.values()]


# Files of others.


def manifest() -> list[dict[str, str]]:
    return tomllib.loads((PAGE / "vendor" / "manifest.toml").read_text())["file"]


@pytest.mark.parametrize("entry", manifest(), ids=lambda entry: entry["path"])
def test_a_file_of_others_is_as_it_was_published(entry: dict[str, str]) -> None:
    content = (PAGE / entry["path"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert (
        f"{entry['package']} {entry['version']} ({entry['licence']})"
        in (PAGE / "vendor" / "LICENCES.txt").read_text()
    )


def test_no_file_of_others_is_missing_from_the_manifest() -> None:
    named = {entry["path"] for entry in manifest()} | {
        "vendor/manifest.toml",
        "vendor/LICENCES.txt",
    }
    there = {
        path.relative_to(PAGE).as_posix()
        for folder in ("vendor", "base")
        for path in (PAGE / folder).iterdir()
    }
    assert there <= named


# Words.


@pytest.mark.parametrize("language", LANGUAGES[1:])
@pytest.mark.parametrize("part", PARTS)
def test_every_language_has_every_word(language: str, part: str) -> None:
    english, other = words("en", part), words(language, part)
    assert list(other) == list(english)
    for key, value in english.items():
        # Words that depend on a number do so in every language, each with its own categories.
        assert type(other[key]) is type(value), key
        named = {name for text in texts(value) for name in PLACEHOLDER.findall(text)}
        for text in texts(other[key]):
            assert set(PLACEHOLDER.findall(text)) <= named, key
            assert text.strip(), key


@pytest.mark.parametrize("language", LETTERS)
@pytest.mark.parametrize("part", PARTS)
def test_no_word_was_left_in_english(language: str, part: str) -> None:
    english = words("en", part)
    for key, value in words(language, part).items():
        for text in texts(value):
            plain = PLACEHOLDER.sub("", text)
            translated = LETTERS[language].search(plain) or SAME_EVERYWHERE.fullmatch(plain)
            assert translated, (key, text, english[key])


@pytest.mark.parametrize("part", PARTS)
def test_no_word_is_there_for_nothing_and_none_is_missing(part: str) -> None:
    """What a script asks for by its whole name must be there; what is there is asked for."""
    source = "\n".join(path.read_text() for path in SCRIPTS)
    kinds = {f"{match}." for match in re.findall(r"`([\w.]+)\.\$\{", source)}
    kinds |= {f"{match}." for match in re.findall(r"coded\(\s*[\"'`]([\w.]+)[\"'`]", source)}
    for key in words("en", part):
        quoted = f'"{key}"' in source or f"'{key}'" in source
        assert quoted or any(key.startswith(kind) for kind in kinds), key


def test_every_word_that_a_script_asks_for_is_there() -> None:
    known = {key for part in PARTS for key in words("en", part)}
    for path in SCRIPTS:
        asked = re.findall(r"\bt\(\s*\"([\w.-]+)\"", path.read_text())
        assert set(asked) <= known, path.name


# How the files are served.


def test_a_file_is_kept_for_ever_under_its_version_only(service: Service) -> None:
    start = service.client.get("/")
    assert start.headers["cache-control"] == "public, no-cache"
    [version] = set(re.findall(r"/page/(\w+)/", start.text))
    file = service.client.get(f"/page/{version}/scripts/language.js")
    assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert file.headers["content-type"] == "text/javascript; charset=utf-8"
    assert file.text == (PAGE / "scripts" / "language.js").read_text()
    older = service.client.get("/page/000000000000/scripts/language.js")
    assert older.headers["cache-control"] == "public, no-cache"


@pytest.mark.parametrize(
    "name",
    ["nothing.js", "base/countries-10m.json", "../api/page.py", "..%2Fapi%2Fpage.py", ""],
)
def test_nothing_but_the_files_of_the_page_is_served(service: Service, name: str) -> None:
    assert service.client.get(f"/page/0/{name}").status_code == 404


@pytest.mark.parametrize("address", ["/", "/report", "/review"])
def test_what_a_page_starts_with_is_there_and_is_all_its_own(
    service: Service, address: str
) -> None:
    answer = service.client.get(address)
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "'unsafe" not in policy
    assert re.findall(r"<script>|\son\w+=|\sstyle=", answer.text) == []
    for named in re.findall(r'(?:src|href)="([^"]+)"', answer.text):
        assert named.startswith("/")
        assert service.client.get(named).status_code == 200, named


def test_what_works_in_the_background_may_ask_this_service_only(service: Service) -> None:
    policy = service.client.get("/worker.js").headers["content-security-policy"]
    assert "connect-src 'self'" in policy


@pytest.mark.parametrize(
    "name", ["scripts/frame.js", "worker.js", "styles/base.css", "words/en/common.json", "icon.svg"]
)
def test_what_is_opened_without_its_page_may_do_nothing(service: Service, name: str) -> None:
    headers = service.client.get(f"/page/0/{name}").headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def imported(name: str) -> set[str]:
    """What a script asks for as soon as it has come, by paths below the folder of the page."""
    source = (PAGE / name).read_text()
    told = re.findall(
        r'^(?:import\s[^"]*?|\}\s*|export\s[^"]*?)from\s+"([^"]+)"', source, re.MULTILINE
    )
    bare = re.findall(r'^import\s+"([^"]+)"', source, re.MULTILINE)
    folder = (PAGE / name).parent
    return {(folder / each).resolve().relative_to(PAGE).as_posix() for each in [*told, *bare]}


@pytest.mark.parametrize("address", ["/", "/report", "/review"])
def test_no_script_waits_for_another_to_ask_for_it(service: Service, address: str) -> None:
    text = service.client.get(address).text
    named = re.findall(r'<link rel="modulepreload" href="/page/\w+/([^"]+)"', text)
    own = re.findall(r'<script type="module" src="/page/\w+/([^"]+)"', text)
    assert len(own) > 0
    assert len(set(named)) == len(named)
    assert set(named) == {*own}.union(*map(imported, named))


def test_a_device_is_given_a_picture_of_the_size_that_it_is_told(service: Service) -> None:
    icons = service.client.get("/manifest.webmanifest").json()["icons"]
    sizes = {icon["sizes"] for icon in icons if icon["type"] == "image/png"}
    assert {"192x192", "512x512"} <= sizes
    for icon in icons:
        answer = service.client.get(icon["src"])
        assert answer.headers["content-type"] == icon["type"]
        if icon["type"] == "image/png":
            width, height = struct.unpack(">II", answer.content[16:24])
            assert icon["sizes"] == f"{width}x{height}"


def test_the_page_knows_no_theatre() -> None:
    """Another ceasefire is served by other reference data alone."""
    told = "".join(
        path.read_text().lower() for path in [*SCRIPTS, *(PAGE / "words").rglob("*.json")]
    )
    for word in (
        "armenia",
        "azerbaijan",
        "karabakh",
        "армени",
        "азербайджан",
        "карабах",
        "ղարաբաղ",
    ):
        assert word not in told
