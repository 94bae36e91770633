"""What is exported, and what every format makes of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from service.formats.exports.columns import Cells, Column, Json

Geometry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """What is told of an export inside it.

    `asked` is the question as it was sent, `total` how many items answer it, `sums` the total of
    an aggregate. Nothing here depends on the time of asking: the same data are the same bytes.
    """

    title: str
    theatre: str
    licence: str | None
    method: str
    asked: str
    total: int
    as_of: Json | None = None
    sums: Json | None = None

    def told(self) -> dict[str, Any]:
        """As fields with plain values; those that hold nothing are left out."""
        fields = {
            "title": self.title,
            "theatre": self.theatre,
            "licence": self.licence,
            "method_version": self.method,
            "asked": self.asked,
            "total": self.total,
            "as_of": self.as_of,
            "sums": self.sums,
        }
        return {name: value for name, value in fields.items() if value is not None}


def nowhere(_: Json) -> Geometry | None:
    return None


@dataclass(frozen=True, slots=True)
class Subject:
    """A list as tables have it: `rows` under `columns`, of which an item may have several, and one
    `record` under `fields` for each item; `geometry` says where an item is, as far as is known."""

    name: str
    columns: Sequence[Column]
    rows: Callable[[Json], Iterable[Cells]]
    fields: Sequence[Column]
    record: Callable[[Json], Cells]
    geometry: Callable[[Json], Geometry | None] = nowhere


@dataclass(frozen=True, slots=True)
class Content:
    """All that is written: the items in parts, to be read once, and what they are; with `hxl` a row
    of hashtags, where the format has one."""

    subject: Subject
    about: About
    chunks: Iterable[Sequence[Json]]
    hxl: bool = False


class Sink(Protocol):
    """Where an export goes."""

    def write(self, data: bytes, /) -> object: ...


class Format(Protocol):
    """One way to write a list.

    `whole` says that an item is written with all that its list tells of it, not only what its
    columns hold. `tagged` says that a row of hashtags (HXL) can stand below the header.
    """

    media: str
    suffix: str
    whole: bool
    tagged: bool

    def write(self, sink: Sink, content: Content) -> None:
        """Write all items. Raises `Invalid` where the format has no room for them."""
        ...
