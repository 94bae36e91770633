"""Answers of a paged API in one file, and the address of the page behind a page.

The file is a JSON text sequence (RFC 7464): for each page as received a record separator, the
page, a line feed. One page alone, without separators, is read too.
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import orjson

from service.domain.imports import Fault, Unusable
from service.errors import Invalid
from service.formats.imports.delimited import NOT_TEXT, Record

_SEPARATOR: Final = b"\x1e"
_CHUNK: Final = 256 * 1024
LARGEST_PAGE: Final = 32 * 1024 * 1024


def pages(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """The pages from the start, one in memory at a time.

    Raises `Unusable`: `truncated` for a page that breaks off, `bad_content` for what is no JSON
    object, `too_large` beyond 32 MiB.
    """
    file.seek(0)
    buffer = bytearray()
    while chunk := file.read(_CHUNK):
        *ended, rest = chunk.split(_SEPARATOR)
        for part in ended:
            buffer += part
            if buffer.strip():
                yield page_of(bytes(buffer))
            buffer.clear()
        buffer += rest
        if len(buffer) > LARGEST_PAGE:
            raise Unusable(Fault.TOO_LARGE, "has a page that is larger than is taken")
    if not buffer.strip():
        raise Unusable(Fault.TRUNCATED, "has no page, or breaks off before one")
    yield page_of(bytes(buffer))


def page_of(body: bytes) -> dict[str, Any]:
    """One page. Raises `Unusable` as `pages` does."""
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        page = orjson.loads(body)
    except orjson.JSONDecodeError:
        if body.startswith(b"{") and not body.endswith(b"}"):
            raise Unusable(Fault.TRUNCATED, "breaks off within a page") from None
        raise Unusable(Fault.BAD_CONTENT, "has a page that is not JSON") from None
    if not isinstance(page, dict):
        raise Unusable(Fault.BAD_CONTENT, "has a page that is not a JSON object")
    return page


def rows_of(page: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The list of objects under `name`. Raises `Unusable(bad_content)` where there is none."""
    rows = page.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unusable(Fault.BAD_CONTENT, "has a page without a list of rows")
    return rows


def as_record(number: int, row: Mapping[str, Any]) -> Record:
    """A row of an API as the same row in CSV would be read; `null` is an empty cell."""
    cells = {name: _cell(value) for name, value in row.items()}
    if any("\0" in cell for cell in cells.values()):
        return Record(number, {}, Invalid(NOT_TEXT))
    return Record(number, cells)


def page_number(url: str) -> int:
    """The number in the parameter `page`; the first page, 1, where there is none."""
    text = dict(parse_qsl(urlsplit(url).query)).get("page", "1")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Unusable(Fault.BAD_CONTENT, "has an address whose page is not a number")
    return int(text)


def with_page(url: str, number: int) -> str:
    """The same address with another number of a page; other parameters stay in their order."""
    parts = urlsplit(url)
    others = [
        item
        for item in parts.query.split("&")
        if item and item.partition("=")[0].casefold() != "page"
    ]
    query = "&".join([*others, urlencode({"page": number})])
    return urlunsplit(parts._replace(query=query))


def same_host(url: str, link: str) -> str:
    """The address that a page at `url` links to, with the scheme of `url`.

    Raises `Unusable(redirect_refused)` where it leads to another host or port, or carries a name
    to log in with, so that a page cannot send us, and the access token with us, elsewhere.
    """
    try:
        here, there = urlsplit(url), urlsplit(urljoin(url, link))
        same = (
            there.scheme in ("http", "https")
            and there.hostname == here.hostname
            and _port(there) == _port(here)
            and "@" not in there.netloc
        )
    except ValueError:
        same = False
    if not same:
        raise Unusable(Fault.REDIRECT_REFUSED, "names a next page on another host")
    return urlunsplit(there._replace(scheme=here.scheme, netloc=here.netloc))


def _port(parts: SplitResult) -> int | None:
    """`None` for the usual port of the scheme."""
    return None if parts.port == {"http": 80, "https": 443}[parts.scheme] else parts.port


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return orjson.dumps(value).decode()
