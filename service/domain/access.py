"""Who may do what, and how much of the record somebody sees.

A role is given to a key by whoever runs the service. What is seen of a single report is decided
in `service.formats.disclosure`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What somebody is to the tracker; without a key they are anonymous."""

    ANONYMOUS = "anonymous"
    PARTNER = "partner"
    MONITOR = "monitor"
    IMPORTER = "importer"
    REVIEWER = "reviewer"
    ADMIN = "admin"


class Act(StrEnum):
    """What a role may allow beyond reading what one is shown."""

    SEND = "send"
    """Send reports, tallies and coverage, and change one's own reports."""
    REVIEW = "review"
    """Decide about reports of others, and change them."""
    GROUP = "group"
    """Say which reports tell of one event, and what is part of what."""
    MANAGE_KEYS = "manage-keys"
    IMPORT = "import"
    """Have a feed run, or give a file in the place of what it would give."""
    MANAGE_FEEDS = "manage-feeds"
    """Say which sources are asked, and how."""


class Visibility(StrEnum):
    """Who is shown a report, widest circle first."""

    PUBLIC = "public"
    PARTNERS = "partners"
    RESTRICTED = "restricted"

    @property
    def level(self) -> int:
        """0 for what everybody sees, more for what fewer do."""
        return _LEVELS[self]


_LEVELS: Final[Mapping[Visibility, int]] = {v: level for level, v in enumerate(Visibility)}
_MAY: Final[Mapping[Role, frozenset[Act]]] = {
    Role.ANONYMOUS: frozenset(),
    Role.PARTNER: frozenset(),
    Role.MONITOR: frozenset({Act.SEND}),
    Role.IMPORTER: frozenset({Act.SEND, Act.IMPORT}),
    Role.REVIEWER: frozenset({Act.SEND, Act.IMPORT, Act.REVIEW, Act.GROUP}),
    Role.ADMIN: frozenset(Act),
}
_SEES: Final[Mapping[Role, Visibility]] = {
    Role.ANONYMOUS: Visibility.PUBLIC,
    Role.PARTNER: Visibility.PARTNERS,
    Role.MONITOR: Visibility.PUBLIC,
    Role.IMPORTER: Visibility.PUBLIC,
    Role.REVIEWER: Visibility.RESTRICTED,
    Role.ADMIN: Visibility.RESTRICTED,
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks or changes something: a key's name, `None` without one, and its role."""

    name: str | None = None
    role: Role = Role.ANONYMOUS
    read_only: bool = False

    @property
    def sees(self) -> Visibility:
        """The narrowest circle that they belong to; their own reports they see besides."""
        return _SEES[self.role]

    def may(self, act: Act) -> bool:
        return not self.read_only and act in _MAY[self.role]

    def may_read_for(self, act: Act) -> bool:
        """Whether they are shown what somebody needs for an act."""
        return act in _MAY[self.role]

    @property
    def protected(self) -> bool:
        """Whether the moment they act is kept by its day only."""
        return self.role is Role.MONITOR


ANYBODY: Final = Actor()
