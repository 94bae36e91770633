"""Everything the tracker may refuse, as one tree.

* TrackerError
  - Invalid             the input breaks a rule; says where
  - NotFound            nothing is known under that name
  - Hidden              it is known, but not shown to who asks
  - Merged              it is told as part of another incident now
  - Conflict            the input contradicts what is already recorded
  - PreconditionMissing the request does not say which revision it changes
  - Stale               the request was made against an older revision
  - Unauthorized        no key, or none that is known
  - Forbidden           the key's role does not allow it
  - TooMany             more requests than are taken in a while
  - Unavailable         the database is away or busy; try again
  - Malformed           what was sent is not in the format it says it is
  - TooLarge            what was sent is larger than is taken
  - TooSlow             it did not arrive in time
  - UnsupportedMedia    it is in a format that is not read here
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input.

    `field` is a path such as `casualties.0.killed`; `message` is fixed text
    that never repeats what was sent.
    """

    field: str
    message: str


class TrackerError(Exception):
    """Base of every error this project raises on purpose."""

    detail = "The request cannot be carried out."

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or self.detail
        super().__init__(self.detail)


class Invalid(TrackerError):
    """The input breaks a rule. `problems` names each field and what is wrong with it."""

    detail = "The input breaks a rule."

    def __init__(self, problems: Sequence[Problem] | str, field: str = "") -> None:
        self.problems = (
            (Problem(field, problems),) if isinstance(problems, str) else tuple(problems)
        )
        super().__init__()

    def __str__(self) -> str:
        return "; ".join(f"{p.field}: {p.message}" if p.field else p.message for p in self.problems)

    def under(self, path: str) -> "Invalid":
        """The same problems, their fields placed below `path`."""
        return Invalid(
            [Problem(f"{path}.{p.field}" if p.field else path, p.message) for p in self.problems]
        )


class NotFound(TrackerError):
    """Nothing is known under that name."""

    detail = "Nothing is known under that name."


class Hidden(NotFound):
    """It is known, but not shown to who asks; answered as if nothing were known."""


class Merged(NotFound):
    """It is told as part of another incident, `into`, now."""

    detail = "It was merged into another incident."

    def __init__(self, into: str) -> None:
        self.into = into
        super().__init__()


class Conflict(TrackerError):
    """The input contradicts what is already recorded."""

    detail = "This contradicts what is already recorded."


class PreconditionMissing(TrackerError):
    """A change must say which revision it changes."""

    detail = "Send the revision you are changing in If-Match."


class Stale(TrackerError):
    """The thing was changed in between."""

    detail = "It was changed in between; read it again."


class Unauthorized(TrackerError):
    """No key was given, or none that is known."""

    detail = "A valid API key is needed."


class Forbidden(TrackerError):
    """The key's role does not allow it."""

    detail = "The key does not allow this."


class TooMany(TrackerError):
    """More requests than are taken in a while; `retry_after` is in whole seconds."""

    detail = "Too many requests; try again later."

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__()


class Unavailable(TrackerError):
    """The database is away or busy."""

    detail = "The database is not available right now; try again."


class Malformed(TrackerError):
    """What was sent is not in the format it says it is."""

    detail = "The body is not in the format that its Content-Type says."


class TooLarge(TrackerError):
    """More was sent than is taken."""

    detail = "The body is larger than is taken here."


class TooSlow(TrackerError):
    """The request did not arrive in time."""

    detail = "The body did not arrive in time."


class UnsupportedMedia(TrackerError):
    """The body's Content-Type or Content-Encoding is not read here."""

    detail = "The body's Content-Type or Content-Encoding is not read here."
