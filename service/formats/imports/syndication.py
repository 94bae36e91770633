"""News feeds: RSS 0.9x, 1.0 and 2.0, and Atom; every entry becomes a lead for a person to read.

A strict pass comes first and lets nothing through that is not well-formed to the end, or that
declares a document type: the library behind it repairs what it is given, and takes its time.
"""

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from html import unescape
from io import BytesIO
from typing import Any, BinaryIO, Final
from urllib.parse import urljoin
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from zoneinfo import ZoneInfo

import feedparser
from defusedxml.common import DefusedXmlException
from defusedxml.sax import make_parser

from service.domain.imports import Fault, Unusable
from service.errors import Invalid
from service.formats.imports.entries import Entry, Kind, Reading
from service.formats.reports import is_web_address

LARGEST_DOCUMENT: Final = 8 * 1024 * 1024
"""In bytes; the largest feeds seen in practice are below 2 MB."""
MOST_ENTRIES: Final = 5_000
LONGEST_TEXT: Final = 20_000
_DEEPEST: Final = 64
_MOST_ELEMENTS: Final = 60_000
_LONGEST_ELEMENT: Final = 256 * 1024
_LONGEST_URL: Final = 2_000
_LONGEST_TITLE: Final = 500
_LONGEST_KEY: Final = 200
_CHUNK: Final = 16 * 1024
# So many chunks may pass without anything complete in them: an attribute or a comment of 128 KiB.
_SILENT_CHUNKS: Final = 8

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARATION: Final = re.compile(
    r"<\?xml[ \t\r\n]{1,20}version[^>?]{0,100}?\?>|<\?xml[ \t\r\n][^>]{0,200}\?>"
)
_ENCODING: Final = re.compile(
    rb"<\?xml[^>]{0,200}?encoding[ \t\r\n]*=[ \t\r\n]*[\"']([^\"']{1,40})"
)
# Those that feeds are published in; another one must be declared for the source.
_ENCODINGS: Final = frozenset(
    codecs.lookup(name).name
    for name in ("utf-8", "ascii", "latin-1", "iso8859-5", "cp1251", "cp1252", "cp1254", "koi8-r")
)
_ROOTS: Final = frozenset({"rss", "RDF", "feed"})
_PARENTS: Final = {"item": ("channel", "RDF"), "entry": ("feed",)}
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f-\x9f\\<>\"\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# Characters that XML has no place for, and those that turn the direction of what stands after.
_INVISIBLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_HIDDEN_ELEMENTS: Final = frozenset(
    {"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "title", "head"}
)
_TAG: Final = re.compile(r"</?([A-Za-z][A-Za-z0-9]{0,30})")


class Syndication:
    """RSS and Atom."""

    name = "rss"
    media: Sequence[str] = (
        "application/rss+xml",
        "application/atom+xml",
        "application/xml",
        "text/xml",
    )
    restricted = False
    pages = False
    default_claimant: str | None = None
    default_licence: str | None = None

    def columns(self, file: BinaryIO, reading: Reading) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def read(self, file: BinaryIO, reading: Reading) -> Iterator[Entry]:
        """Every entry as a lead, with `title`, `text`, `url`, `published` and `language`; names of
        authors are left where they are. Raises `Unusable`: `xml_forbidden`, `truncated`,
        `too_large`, `bad_encoding`, `bad_content`."""
        file.seek(0)
        content = _decoded(file.read(LARGEST_DOCUMENT + 1), reading)
        lines = _checked(content)
        parsed = _parsed(content)
        if len(parsed.entries) != len(lines):
            raise Unusable(Fault.BAD_CONTENT, "cannot be told apart into entries")
        seen: set[str] = set()
        for line, raw in zip(lines, parsed.entries, strict=True):
            entry = _entry(line, raw, parsed.feed, reading)
            if entry.key in seen:
                entry = Entry(
                    line,
                    entry.key,
                    Kind.LEAD,
                    error=Invalid("stands twice in the feed", "key"),
                    original=entry.original,
                )
            elif entry.key is not None:
                seen.add(entry.key)
            yield entry


def plain_text(markup: str, longest: int = LONGEST_TEXT) -> str:
    """What a reader sees of a piece of HTML, as text that means nothing to a browser any more
    once it is escaped. In linear time, whatever the markup."""
    text = _INVISIBLE.sub(" ", unescape("".join(_visible(markup))))
    return " ".join(text[: longest * 4].split())[:longest].rstrip()


def _visible(markup: str) -> Iterator[str]:
    lowered = markup.lower() if len(markup.lower()) == len(markup) else markup
    position = 0
    # Where an end is missing once, it is missing for all that follows.
    missing: set[str] = set()
    while position < len(markup):
        opening = markup.find("<", position)
        if opening < 0:
            yield markup[position:]
            return
        yield markup[position:opening]
        if markup.startswith("<!--", opening):
            end = lowered.find("-->", opening + 4)
            position = len(markup) if end < 0 else end + 3
            continue
        tag = _TAG.match(markup, opening)
        if tag is None and not markup.startswith(("<!", "<?"), opening):
            yield "<"
            position = opening + 1
            continue
        end = -1 if ">" in missing else markup.find(">", opening)
        if end < 0:
            return
        yield " "
        position = end + 1
        name = tag[1].lower() if tag and markup[opening + 1] != "/" else ""
        if name in _HIDDEN_ELEMENTS and markup[end - 1] != "/" and name not in missing:
            closing = lowered.find(f"</{name}", position)
            if closing < 0:
                if name in ("script", "style"):
                    return
                missing.add(name)
                continue
            position = closing


def _decoded(raw: bytes, reading: Reading) -> bytes:
    """The document in UTF-8 without mark and XML declaration."""
    if len(raw) > LARGEST_DOCUMENT:
        raise Unusable(Fault.TOO_LARGE, f"is larger than {LARGEST_DOCUMENT} bytes")
    if not raw.strip():
        raise Unusable(Fault.TRUNCATED, "is empty")
    named = _encoding(raw, reading)
    try:
        text = raw.decode(named).removeprefix("\ufeff")
        content = text.encode()
    except (UnicodeError, LookupError):
        raise Unusable(Fault.BAD_ENCODING, "is not in the encoding that it declares") from None
    if "\0" in text:
        raise Unusable(Fault.BAD_ENCODING, "holds characters that are not text")
    start = text[:2_000].lstrip().lower()
    if start.startswith(("<!doctype html", "<html")) or not start.startswith("<"):
        raise Unusable(Fault.BAD_CONTENT, "is not a feed")
    declaration = _DECLARATION.match(text)
    if declaration is None:
        return content
    # The lines keep their numbers.
    return b"\n" * declaration[0].count("\n") + text[declaration.end() :].encode()


def _encoding(raw: bytes, reading: Reading) -> str:
    declared = _ENCODING.match(raw)
    try:
        expected = codecs.lookup(reading.encoding).name
        name = codecs.lookup(declared[1].decode("ascii")).name if declared else expected
    except (LookupError, UnicodeError):
        raise Unusable(Fault.BAD_ENCODING, "declares an encoding that is not known") from None
    for mark, marked in _MARKS:
        if raw.startswith(mark):
            name = marked
    if name not in _ENCODINGS and name != expected and not name.startswith(expected):
        raise Unusable(Fault.BAD_ENCODING, "is in an encoding that is not declared for the source")
    return name


class _Strict(ContentHandler):
    """Counts what a document holds and refuses too much of it; notes where its entries begin."""

    def __init__(self, parser: Any) -> None:
        super().__init__()
        self._parser = parser
        self.path: list[str] = []
        self.lines: list[int] = []
        self.elements = 0
        self.events = 0
        self._length = 0

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802
        local = name.rpartition(":")[2]
        if not self.path and local not in _ROOTS:
            raise Unusable(Fault.BAD_CONTENT, "is not a feed")
        if local in _PARENTS and self.path and self.path[-1] in _PARENTS[local]:
            self.lines.append(self._parser.getLineNumber())
        self.path.append(local)
        self.elements += 1
        self.events += 1
        self._length = 0
        if len(self.path) > _DEEPEST:
            raise Unusable(Fault.XML_FORBIDDEN, f"is nested deeper than {_DEEPEST}")
        if len(self.lines) > MOST_ENTRIES or self.elements > _MOST_ELEMENTS or len(attrs) > 100:
            raise Unusable(Fault.TOO_LARGE, f"holds more than {MOST_ENTRIES} entries")

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802
        self.path.pop()
        self.events += 1
        self._length = 0

    def characters(self, content: str) -> None:
        self.events += 1
        self._length += len(content)
        if self._length > _LONGEST_ELEMENT:
            raise Unusable(Fault.TOO_LARGE, f"holds a text longer than {_LONGEST_ELEMENT}")


def _checked(content: bytes) -> list[int]:
    """The lines that entries begin on."""
    parser = make_parser()
    # Neither a document type nor an entity is ever needed, whoever declares it.
    parser.forbid_dtd = parser.forbid_entities = parser.forbid_external = True
    handler = _Strict(parser)
    parser.setContentHandler(handler)
    silent, events = 0, 0
    try:
        for start in range(0, len(content), _CHUNK):
            parser.feed(content[start : start + _CHUNK])
            silent = silent + 1 if handler.events == events else 0
            events = handler.events
            if silent > _SILENT_CHUNKS:
                raise Unusable(Fault.TOO_LARGE, "holds an attribute or comment that is too long")
        parser.close()
    except DefusedXmlException:
        raise Unusable(Fault.XML_FORBIDDEN, "declares a document type or an entity") from None
    except SAXParseException:
        if not handler.elements:
            raise Unusable(Fault.BAD_CONTENT, "is not XML") from None
        raise Unusable(Fault.TRUNCATED, "is not well-formed to its end") from None
    return handler.lines


def _parsed(content: bytes) -> Any:
    parsed = feedparser.parse(
        BytesIO(content),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        resolve_relative_uris=False,
        # What stands there is kept as it stands; `plain_text` is what is shown.
        sanitize_html=False,
    )
    if parsed.bozo or not parsed.version:
        raise Unusable(Fault.BAD_CONTENT, "is not a feed")
    return parsed


def _entry(line: int, raw: Any, feed: Any, reading: Reading) -> Entry:
    contents = [part.get("value") or "" for part in raw.get("content", ())]
    summary = max((raw.get("summary") or "", *contents), key=len)
    link, identifier = raw.get("link") or "", raw.get("id") or ""
    title, text = plain_text(raw.get("title") or "", _LONGEST_TITLE), plain_text(summary)
    published = raw.get("published") or raw.get("updated") or ""
    original = {
        "title": raw.get("title") or "",
        "link": link,
        "published": published,
        "summary": summary,
    }
    if not (title or text):
        error = Invalid("has neither a title nor a text", "title")
        return Entry(line, _key(identifier, link, ""), Kind.LEAD, error=error, original=original)
    # An identifier is an address only as it stands, never seen from the feed's.
    base = "" if link == identifier else feed.get("link") or ""
    return Entry(
        line,
        _key(identifier, link, f"{title}\n{text}"),
        Kind.LEAD,
        {
            "title": title,
            "text": text,
            "url": _address(link, base),
            "published": _instant(published, reading.timezone),
            "language": _language(raw, feed),
        },
        original=original,
    )


def _key(identifier: str, link: str, told: str) -> str | None:
    """The source's own id, else its address, else the hash of what is told."""
    key = identifier.strip() or link.strip()
    if key and len(key) <= _LONGEST_KEY and not _INVISIBLE.search(key):
        return key
    hashed = key or told
    return f"sha256:{sha256(hashed.encode()).hexdigest()}" if hashed else None


def _address(link: str, base: str) -> str | None:
    """An address of the web, a relative one as seen from the feed's own; else none."""
    try:
        joined = urljoin(base, link.strip()) if _is_web(base) else link.strip()
        return joined if _is_web(joined) else None
    except ValueError:
        return None


def _is_web(address: str) -> bool:
    short = len(address) <= _LONGEST_URL
    return short and is_web_address(address) and not _UNSAFE.search(address)


def _instant(written: str, timezone: str | None) -> str | None:
    """RFC 3339 in UTC, from RFC 822 or RFC 3339. A time without an offset is one only where the
    source's time zone is declared."""
    if not written or len(written) > 80:
        return None
    moment = next((m for m in _moments(written.strip()) if m is not None), None)
    if moment is None:
        return None
    if moment.tzinfo is None:
        if timezone is None:
            return None
        moment = moment.replace(tzinfo=ZoneInfo(timezone))
    try:
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except OverflowError:
        return None


def _moments(written: str) -> Iterable[datetime | None]:
    # A day alone is no instant.
    if "T" in written or " " in written:
        for read in (datetime.fromisoformat, parsedate_to_datetime):
            try:
                yield read(written)
            except (ValueError, IndexError, TypeError, OverflowError):
                continue


def _language(raw: Any, feed: Any) -> str | None:
    """As declared for the entry's text, else for the feed."""
    details = (raw.get("title_detail") or {}, raw.get("summary_detail") or {})
    declared = (*(detail.get("language") for detail in details), feed.get("language"))
    return next((d for d in declared if d and _LANGUAGE.fullmatch(d)), None)
