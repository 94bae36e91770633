"""What every format makes of a file: one entry per thing in it, each accounted for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, BinaryIO, Protocol, runtime_checkable

from service.errors import Invalid


class Kind(StrEnum):
    """What an entry becomes."""

    REPORT = "report"
    TALLY = "tally"
    COVERAGE = "coverage"
    LEAD = "lead"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of a file.

    `line` is where it begins, counted from 1 with the header. `key` is the source's own id, by
    which it is known again. `value` is what is sent for it: a `ReportIn`, `TallyIn` or
    `CoverageIn` without `id` as JSON values, or a lead's texts; `None` where `error` says what is
    wrong with it. `areas` are names of the area it lies in, the finest first, for whoever knows the
    theatre. `parties` of `value` are as the source spells them. `remarks` say what was read
    otherwise than it stands there, in words that are the same for all such entries, to be counted.
    `original` is the entry as it stood: its columns in the file's order.
    """

    line: int
    key: str | None
    kind: Kind = Kind.REPORT
    value: dict[str, Any] | None = None
    areas: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    error: Invalid | None = None
    original: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read, as declared for its source; nothing of it is guessed.

    `claimant` stands for entries that name none. `mapping` is the content of a mapping file, for
    formats that need one. `longest_line` is in bytes and also bounds a field.
    """

    claimant: str | None = None
    encoding: str = "utf-8"
    delimiter: str = ","
    timezone: str | None = None
    mapping: Mapping[str, Any] | None = None
    longest_line: int = 1024 * 1024


class Format(Protocol):
    """One way in which sources publish, found by its `name` in `registry.FORMATS`."""

    name: str
    media: Sequence[str]
    """Content types that an answer of such a source may have."""
    restricted: bool
    """Whether its rows must not be passed on: they stay with whoever holds the licence."""
    pages: bool
    """Whether a file of it is a sequence of pages, each fetched by its own address."""
    default_claimant: str | None
    """Who says so, where neither the source's declaration nor the entry names anybody."""
    default_licence: str | None
    """Under which it is passed on, where the source's declaration says nothing else."""

    def columns(self, file: BinaryIO, reading: Reading) -> tuple[str, ...]:
        """The names that entries of the file are made from, sorted, to see a schema change; empty
        where a format has none. Reads from the start. Raises `Unusable`."""
        ...

    def read(self, file: BinaryIO, reading: Reading) -> Iterator[Entry]:
        """The entries from the start, one at a time, in bounded memory. Raises `Unusable` where
        what comes cannot be told apart into entries any more."""
        ...


@runtime_checkable
class Paged(Format, Protocol):
    """A format whose source gives its entries page by page."""

    def next_url(self, page: bytes, url: str) -> str | None:
        """The address of the page behind one, `None` behind the last. Raises `Unusable`."""
        ...
