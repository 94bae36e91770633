"""What answers about feeds, imports and leads look like."""

from typing import Any, Final, Literal

from service.api.shapes.common import Page, Shape, described
from service.domain.access import Visibility
from service.domain.imports import Fault, State
from service.formats.leads import FindingsOut


class Declaration(Shape):
    in_file: bool
    """Whether feeds.toml declares it."""
    feed: dict[str, Any]
    """As it was declared; secrets stand in the environment."""
    asked_at: str | None
    moved_at: str | None
    next_run_at: str | None
    failures: int
    """How often it failed since it last did not."""


class Feed(Shape):
    name: str
    source: str
    format: str
    claimant: str | None
    licence: str | None
    visibility: Visibility
    """The widest circle that its rows are passed on to."""
    stale: bool
    """Whether the source has not moved for longer than its rhythm."""
    moved: str | None
    """The day it last gave something else."""
    declaration: Declaration | None
    """Only for those who may have it run."""


class Feeds(Page):
    items: list[Feed]


class Changed(Shape):
    claims: int
    """In times, positions, figures, or who says so of whom."""
    notes: int
    """Only in summaries, sources or the spelling of places."""


class Account(Shape):
    read: int
    """The sum of created, updated, unchanged, rejected and held."""
    created: int
    updated: int
    unchanged: int
    rejected: int
    held: int
    """Waiting for a person."""
    changed: Changed
    absent: int
    """Recorded before and not in the file any more; it stays."""
    remarks: dict[str, int]
    """What was read otherwise than it stands there, and how often."""


class Import(Shape):
    id: str
    source: str
    feed: str | None
    format: str
    licence: str | None
    state: State
    fault: Fault | None
    """Why nothing of it was taken."""
    detail: str | None
    started_at: str
    ended_at: str | None
    sha256: str | None
    """Of the file as it came."""
    size: int | None
    """In bytes."""
    done: int
    """Entries that are through."""
    total: int | None
    account: Account


class Imports(Page):
    items: list[Import]


class Reject(Shape):
    position: int
    line: int
    held: bool
    field: str
    reason: str
    original: dict[str, Any]


class Rejects(Page):
    items: list[Reject]


class Lead(Shape):
    id: str
    source: str
    state: Literal["open", "taken", "dismissed"]
    revision: int
    title: str
    text: str
    url: str | None
    published: str | None
    language: str | None
    sha256: str
    """Of `told`."""
    told: str
    """Title and text, as they were read; findings count its characters."""
    import_id: str
    """The import whose file holds it as it came."""
    received: str
    reports: list[str]
    """What it was turned into."""
    reason: str | None
    """Why it was set aside."""
    findings: FindingsOut
    draft: dict[str, Any]
    """A first report from what was found, to be corrected."""


class Leads(Page):
    items: list[Lead]


class LeadTaken(Shape):
    lead: Lead
    reports: list[str]


FEED: Final = described(Feed, "The feed as it is declared.")
LIST_OF_FEEDS: Final = described(Feeds, "All feeds that the reader is shown.")
IMPORT: Final = described(Import, "The import and its account.")
LIST_OF_IMPORTS: Final = described(Imports, "The newest imports.")
LIST_OF_REJECTS: Final = described(Rejects, "What was not taken, and why.", csv=True)
LEAD: Final = described(Lead, "The lead and what was found in it.")
LIST_OF_LEADS: Final = described(Leads, "Leads, the newest first.")
LEAD_TAKEN: Final = described(LeadTaken, "The lead, and the reports it became.")
