"""What the feeds of changes and of the ledger's leaves look like."""

from typing import Any, Final

from service.api.shapes.common import Shape, described


class Change(Shape):
    position: int
    """Counted from 0, without gaps."""
    sha256: str
    """Of the leaf."""
    action: str
    """`created`, `revised`, `reviewed`, `moved`, `disclosed`, `withdrawn`, `linked`, `grouped`,
    `released` (a photo), `opened` (the original of one);
    `hidden` or `withheld` where it is not shown."""
    kind: str | None = None
    subject: str | None = None
    revision: int | None = None
    recorded: str | None = None
    reason: str | None = None
    content: dict[str, Any] | None = None
    incidents: list[dict[str, Any]] | None = None
    """What is recorded of a report's incident and of what that is part of, outermost first, and
    then of its parts."""


class Changes(Shape):
    items: list[Change]
    next: int
    """Hand it back as `after`."""


class LedgerEntry(Shape):
    position: int
    sha256: str
    entry: str | None = None
    openings: dict[str, tuple[str, str]] | None = None
    """Salt and JSON of each sealed value that may be shown."""


class LedgerEntries(Shape):
    items: list[LedgerEntry]
    next: int


CHANGES: Final = described(Changes, "Changes, and how many are known with them.")
ENTRIES_OF_LEDGER: Final = described(LedgerEntries, "Leaves, and how many are known with them.")
