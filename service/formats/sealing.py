"""One change as an entry of the ledger: what is open stands in it, what is private only as a
salted hash, so that a private value can be erased and the ledger still be checked.

The same idea as selective disclosure in RFC 9901 (SD-JWT): a value is shown by giving its salt.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from service.formats.records import instant_text

Json = dict[str, Any]


def _above(path: str) -> Iterator[str]:
    """The paths of what a path leads through, outermost first."""
    end = path.find(".")
    while end > 0:
        yield path[:end]
        end = path.find(".", end + 1)


# By kind the private fields, inner ones before what they lie in, each with what stands in the
# place of an erased one.
SEALED: Final[Mapping[str, Mapping[str, Any]]] = {
    "report": {
        "content.authors": [],
        "content.reviewers": {},
        "content.received_at": None,
        "content.posted.where.observer": None,
        "content.posted.where": {},
        "content.posted.summary": None,
        "content.posted.sources": [],
        "content.posted.incident": None,
        "content.posted.about": None,
        "content.possible_duplicates": [],
        "content.cleared": [],
        "content.reviews": [],
        "content.resolved.point": None,
        "content.resolved.place": None,
        "content.published": {"place": None, "point": None},
        "content.origin.kept": {},
        "content.origin.sha256": "",
        "content.origin": None,
    },
    "tally": {"content.received_at": None},
    "coverage": {"content.received_at": None},
    "incident": {"content.part_of": None, "content.merged_into": None},
    "reference": {},
    "grouping": {},
    "repair": {},
    "erasure": {},
    "key": {"content": {}},
    "feed": {"content": {}},
    "import": {"content": {}},
    "lead": {"content": {}},
    "photo": {"content.original": None, "content.copy": None, "content.received_at": None},
    "opening": {},
}
ALWAYS_SEALED: Final[Mapping[str, Any]] = {"actor": "", "reason": None}
# By kind all that something private is taken out of, outer ones first.
_HOLDERS: Final[Mapping[str, tuple[str, ...]]] = {
    kind: tuple(sorted({above for path in paths for above in _above(path)}))
    for kind, paths in SEALED.items()
}
# Likewise each private path with the path of what it is taken out of and its name there.
_PRIVATE: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    kind: tuple(
        (path, path.rpartition(".")[0], path.rpartition(".")[2])
        for path in (*paths, *ALWAYS_SEALED)
    )
    for kind, paths in SEALED.items()
}
_SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Fact:
    """What is recorded by one revision."""

    kind: str
    subject: str
    revision: int
    recorded_at: datetime
    actor: str
    reason: str | None
    content: Json


def canonical(content: Any) -> bytes:
    """The one way to write a content as JSON: sorted keys, UTF-8, no spaces."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def digest(content: Any) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(content)).hexdigest()


def seal(fact: Fact) -> tuple[str, str]:
    """The entry of a change, and its private values as `{path: [salt, JSON of the value]}`."""
    entry: Json = {
        "kind": fact.kind,
        "subject": fact.subject,
        "revision": fact.revision,
        "recorded_at": instant_text(fact.recorded_at),
        "actor": fact.actor,
        "reason": fact.reason,
        "content": fact.content,
    }
    holders = _copied(entry, _HOLDERS[fact.kind])
    chosen = [
        (path, holder, name)
        for path, above, name in _PRIVATE[fact.kind]
        if (holder := holders.get(above)) is not None and name in holder
    ]
    salts = secrets.token_bytes(_SALT_BYTES * len(chosen))
    sealed: dict[str, str] = {}
    private: dict[str, list[str]] = {}
    for number, (path, holder, name) in enumerate(chosen):
        text = canonical(holder.pop(name))
        salt = salts[_SALT_BYTES * number : _SALT_BYTES * (number + 1)]
        private[path] = [salt.hex(), text.decode()]
        sealed[path] = _seal_of(salt, text)
    entry["sealed"] = sealed
    return canonical(entry).decode(), canonical(private).decode()


def _copied(entry: Json, paths: Iterable[str]) -> Mapping[str, Json]:
    """What stands at some paths of an entry, by path, copied there so that what the entry was made
    from stays whole."""
    holders = {"": entry}
    for path in paths:
        above, _, name = path.rpartition(".")
        inner = holders[above].get(name) if above in holders else None
        if isinstance(inner, dict):
            holders[path] = holders[above][name] = dict(inner)
    return holders


def seal_of(salt: str, text: str) -> str:
    """The hash that stands for a private value: SHA-256 of the salt's bytes and its JSON."""
    return _seal_of(bytes.fromhex(salt), text.encode())


def _seal_of(salt: bytes, text: bytes) -> str:
    return hashlib.sha256(salt + text).hexdigest()


def unseal(entry: str, private: str) -> Fact:
    """The change again; what was erased is empty."""
    told: Json = orjson.loads(entry)
    known: dict[str, list[str]] = orjson.loads(private)
    erased = {**SEALED[told["kind"]], **ALWAYS_SEALED}
    # What others lie in comes first.
    for path in sorted(told["sealed"], key=lambda path: path.count(".")):
        holder, name = _holder(told, path)
        if holder is not None:
            holder[name] = orjson.loads(known[path][1]) if path in known else erased[path]
    return Fact(
        told["kind"],
        told["subject"],
        told["revision"],
        datetime.fromisoformat(told["recorded_at"]),
        told["actor"],
        told["reason"],
        told["content"],
    )


def erased_of(entry: str, private: str) -> set[str]:
    """The paths of what was erased."""
    sealed: dict[str, str] = orjson.loads(entry)["sealed"]
    known: dict[str, list[str]] = orjson.loads(private)
    return sealed.keys() - known.keys()


def _holder(entry: Json, path: str) -> tuple[Json | None, str]:
    """What the last name of a path stands in; `None` where there is no such thing."""
    *above, name = path.split(".")
    holder: Any = entry
    for step in above:
        holder = holder.get(step) if isinstance(holder, dict) else None
    return (holder if isinstance(holder, dict) else None), name
